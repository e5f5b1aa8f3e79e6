/// What a file is, by its first bytes; for those that are not read here, and for people.
struct ContentKind: Equatable, Sendable {
    /// The kind with an article: "a WebP picture".
    let what: String
    /// Whether it is a picture, though perhaps one that is not read here.
    let isPicture: Bool
    /// What to do with it; nil: repair or remove it.
    let remedy: String?

    /// So many bytes are enough to know.
    static let headSize = 512

    /// What begins with `head`.
    init(_ head: some Collection<UInt8>) {
        let head = Array(head.prefix(Self.headSize))
        let text = String(decoding: head, as: UTF8.self)
        let words = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }.prefix(64).lowercased()
        if let picture = Self.picture(head) {
            let article = picture == "AVIF" ? "an" : "a"
            self.init("\(article) \(picture) picture", isPicture: true, Self.conversion(picture))
        } else if head.starts(with: [0xFF, 0xD8]) {
            self.init("a JPEG picture", isPicture: true, nil)
        } else if head.starts(with: [0x89] + Array("PNG".utf8)) {
            self.init("a PNG picture", isPicture: true, nil)
        } else if head.isEmpty {
            self.init("empty", isPicture: false, nil)
        } else if head.allSatisfy({ $0 == 0 }) {
            self.init("all zeros, as a broken copy leaves it", isPicture: false, "copy it again")
        } else if words.hasPrefix("version https://git-lfs") {
            self.init(
                "a Git LFS pointer, not the file itself", isPicture: false, "run git lfs pull")
        } else if words.hasPrefix("<!doctype html") || words.hasPrefix("<html") {
            self.init(
                "an HTML page, as servers send in place of a file", isPicture: false,
                "download it again")
        } else if words.hasPrefix("<svg") || words.hasPrefix("<?xml") {
            self.init("an SVG or XML text", isPicture: false, "convert it to JPEG or PNG")
        } else if let archive = Self.archive(head) {
            self.init(archive, isPicture: false, "unpack it")
        } else if Self.isText(head) {
            self.init("text", isPicture: false, "download it again or remove it")
        } else {
            let bytes = head.prefix(4).map { String($0, radix: 16) }.joined(separator: " ")
            self.init("of no known format (it starts with \(bytes))", isPicture: false, nil)
        }
    }

    private init(_ what: String, isPicture: Bool, _ remedy: String?) {
        (self.what, self.isPicture, self.remedy) = (what, isPicture, remedy)
    }

    /// Why it is no image that is read here, and what to do.
    var reason: String { "it is \(what)" + (remedy.map { " (\($0))" } ?? "") }

    /// The name of a picture's format that is not read here.
    private static func picture(_ head: [UInt8]) -> String? {
        func has(_ text: String, at place: Int = 0) -> Bool {
            head.dropFirst(place).starts(with: text.utf8)
        }
        if has("GIF8") { return "GIF" }
        if has("RIFF") && has("WEBP", at: 8) { return "WebP" }
        if has("BM") && head.dropFirst(6).starts(with: [0, 0, 0, 0]) { return "BMP" }
        if has("II*\0") || has("MM\0*") || has("II+\0") || has("MM\0+") { return "TIFF" }
        if has("8BPS") { return "Photoshop" }
        if head.starts(with: [0, 0, 0, 12]) && has("JXL ", at: 4)
            || head.starts(with: [0xFF, 0x0A])
        {
            return "JPEG XL"
        }
        if head.starts(with: [0, 0, 0, 12]) && has("jP  ", at: 4)
            || head.starts(with: [0xFF, 0x4F, 0xFF, 0x51])
        {
            return "JPEG 2000"
        }
        if has("ftyp", at: 4) {
            let brand = String(decoding: head.dropFirst(8).prefix(4), as: UTF8.self)
            // A general brand may be followed by one that says more.
            let length = head.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let others = String(decoding: head.prefix(length).dropFirst(16), as: UTF8.self)
            if brand.hasPrefix("avi") || others.contains("avif") { return "AVIF" }
            if ["hei", "hev", "mif", "msf"].contains(where: brand.hasPrefix) { return "HEIC" }
        }
        if ["P1", "P2", "P3", "P4", "P5", "P6"].contains(where: { has($0) }), head.count > 2,
            [9, 10, 13, 32].contains(head[2])
        {
            return "PNM"
        }
        return nil
    }

    /// The command that makes a PNG of a picture, with Debian's usual tools.
    private static func conversion(_ picture: String) -> String {
        let command =
            switch picture {
            case "AVIF": "avifdec FILE FILE.png"
            case "HEIC": "heif-convert FILE FILE.png"
            case "JPEG XL": "djxl FILE FILE.png"
            default: "mogrify -format png FILE"
            }
        return "convert it to PNG: \(command), then remove it"
    }

    /// The command that unpacks a file so that what it holds can be read in place; nil for what is
    /// not packed.
    static func unpackingCommand(_ head: [UInt8], _ path: String) -> String? {
        switch archive(head) {
        case "a zip archive": "unzip \(path) -d FOLDER"
        case "a 7z archive": "7z x -oFOLDER \(path)"
        case "a RAR archive": "unrar x \(path) FOLDER/"
        case "compressed with gzip": "gunzip \(path)"
        case "compressed with xz": "unxz \(path)"
        case "compressed with bzip2": "bunzip2 \(path)"
        case "compressed with zstd": "unzstd --rm \(path)"
        default: nil
        }
    }

    private static func archive(_ head: [UInt8]) -> String? {
        if head.starts(with: Array("PK".utf8) + [3, 4]) { return "a zip archive" }
        if head.starts(with: [0x1F, 0x8B]) { return "compressed with gzip" }
        if head.starts(with: Array("7z".utf8) + [0xBC, 0xAF, 0x27, 0x1C]) { return "a 7z archive" }
        if head.starts(with: Array("Rar!".utf8) + [0x1A, 0x07]) { return "a RAR archive" }
        if head.starts(with: [0xFD] + Array("7zXZ".utf8)) { return "compressed with xz" }
        if head.starts(with: "BZh".utf8) { return "compressed with bzip2" }
        if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return "compressed with zstd" }
        if head.dropFirst(257).starts(with: "ustar".utf8) { return "a tar archive" }
        return nil
    }

    private static func isText(_ head: [UInt8]) -> Bool {
        head.allSatisfy { $0 >= 0x20 && $0 != 0x7F || [9, 10, 12, 13].contains($0) }
    }
}
