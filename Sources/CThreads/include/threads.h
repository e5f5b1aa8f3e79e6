/// Gives this thread, and all that it starts, the cores that the process was started with, whatever
/// a library has bound it to since; 0, or -1 and `errno`.
int saccader_use_starting_cores(void);

/// Names this thread for whoever looks at the process; at most 15 bytes.
void saccader_name_thread(const char *name);
