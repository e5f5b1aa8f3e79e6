/// The version of the program.
enum Room {}
