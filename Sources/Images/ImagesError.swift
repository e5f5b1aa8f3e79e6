import Files

/// What can go wrong with images and their folders.
public enum ImagesError: Error, Equatable, CustomStringConvertible {
    /// A folder that is needed is not there.
    case missingFolder(path: String)
    /// A folder holds no images.
    case noImages(path: String)
    /// A folder or list that was named holds no pictures.
    case noPictures(path: String)
    /// The images of one subset are asked for, and there are none.
    case emptySubset(path: String, subset: Subset)
    /// A class of one subset that the training images lack.
    case unknownClass(path: String)
    /// A file is not an image that can be read.
    case unreadable(path: String, reason: String)
    /// A file or folder cannot be written, or the disk fails.
    case file(FileError)
    /// A file that the program did not write is where it was to write.
    case notOurs(path: String)
    /// A folder holds something else already.
    case occupied(path: String)
    /// A file that is needed is not there.
    case missing(path: String, remedy: String)
    /// A file is not what it should be.
    case damaged(path: String, what: String, remedy: String)
    /// The system cannot read a file.
    case inputOutput(path: String, reason: String)
    /// The system does not let this user read a file.
    case forbidden(path: String)
    /// Two images have the same name and class.
    case duplicate(name: String, first: String, second: String)
    /// An archive in the place of an index.
    case notIndexed(path: String)
    /// Images that cannot be decoded were found while indexing.
    case undecodable(count: Int, output: String)
    /// A file that ships with the program is missing or damaged.
    case resource(name: String)

    /// A file or folder that cannot be written.
    static func unwritable(path: String, reason: String) -> ImagesError {
        .file(FileError(path: path, reason: reason))
    }

    /// What a call returns that writes files, its error as one of these.
    static func of<Value>(
        _ value: @autoclosure () throws(FileError) -> Value
    ) throws(ImagesError) -> Value {
        do { return try value() } catch { throw .file(error) }
    }

    /// One line: what, where, what to do next.
    public var description: String {
        switch self {
        case .missingFolder(let path):
            "\(path): no such folder; --data (in training data.path) takes a folder with "
                + "train/CLASS/*.JPEG or an index; saccader-dist dataset demo --output DIR makes one"
        case .noImages(let path):
            "\(path): holds no images; expected CLASS/*.JPEG in it"
        case .noPictures(let path):
            "\(path): holds no pictures; name JPEG, PNG or WebP files, folders of them, or a text "
                + "with a path a line"
        case .emptySubset(let path, let subset):
            "\(path): has no \(subset.rawValue) images; \(Self.remedy(subset))"
        case .unknownClass(let path):
            "\(path): this class has no folder in train; remove it or add training images"
        case .unreadable(let path, let reason):
            "\(path): not a readable image: \(reason); repair or remove the file"
        case .file(let error): error.description
        case .notOurs(let path):
            "\(path): exists and is no index of images; it is left alone: choose another --output"
        case .occupied(let path):
            "\(path): exists and is no demonstration set of this seed; remove it or choose another "
                + "--output"
        case .missing(let path, let remedy):
            "\(path): not found; \(remedy)"
        case .damaged(let path, let what, let remedy):
            "\(path): \(what); \(remedy)"
        case .inputOutput(let path, let reason):
            "\(path): cannot be read: \(reason); check the file system and try again"
        case .forbidden(let path):
            "\(path): cannot be read: permission denied; change its permissions"
        case .duplicate(let name, let first, let second):
            "\(name): is in \(first)"
                + (first == second ? " twice" : " and in \(second)")
                + "; name each image's source once"
        case .notIndexed(let path):
            "\(path): is an archive; index it first: saccader-dist dataset index \(path) … "
                + "--output INDEX, then give INDEX as --data (in training as data.path)"
        case .undecodable(let count, let output):
            "\(output): not written: \(count) of the images cannot be read (named above); "
                + "repair them, or leave them out with --skip-undecodable"
        case .resource(let name):
            "the program's resource \(name) is missing or damaged; install the program anew"
        }
    }

    /// How a subset gets images.
    private static func remedy(_ subset: Subset) -> String {
        switch subset {
        case .train: "put them into train/CLASS/"
        case .dev:
            "hold more of the training images out (data.developmentFraction; in an index "
                + "--development-fraction), or give a folder dev, or --split val"
        case .val: "put them into val/CLASS/, or give --split dev"
        }
    }
}
