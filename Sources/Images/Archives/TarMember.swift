/// Something inside an archive.
struct TarMember: Equatable, Sendable {
    /// What it is.
    enum Kind: Equatable, Sendable {
        /// A file with content of its own.
        case file
        case folder
        /// Another name of an earlier member, spelt as that one's.
        case hardLink(FileName)
        /// A path from its own folder on.
        case symbolicLink(FileName)
        /// A named pipe, a device, or of a kind that only some programs know.
        case other
    }

    /// The path as the archive spells it, for example `n01440764/n01440764_10026.JPEG`.
    let name: FileName
    /// The place of its first byte, from the beginning of the outermost file.
    let offset: Int
    /// The size in bytes.
    let size: Int
    var kind = Kind.file
}
