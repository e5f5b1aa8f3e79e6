/// A picture that somebody names, outside of any data set.
public struct PictureFile: Sendable {
    let path: FileName
    /// The bytes of one that came through a pipe.
    private let content: [UInt8]?

    init(_ path: FileName, content: [UInt8]? = nil) {
        (self.path, self.content) = (path, content)
    }

    /// The path as it was named, for people.
    public var name: String { path.text }

    /// The path's last part, for names of other files.
    public var lastName: String { FileName.parts(of: path.bytes).last?.text ?? name }

    /// The picture, decoded as a model's settings say.
    public func pixels(_ configuration: DataConfiguration) throws(ImagesError) -> Pixels {
        try pixels(ImageDecoder(configuration))
    }

    func pixels(_ decoder: ImageDecoder) throws(ImagesError) -> Pixels {
        if let content { return try decoder.decode(content, path: name) }
        let file = try ByteFile(path)
        return try decoder.decode(file.bytes(at: 0, count: file.size), path: name)
    }
}
