import Files

extension ImageSet {
    /// FNV-1a of 64 bits of the images' names in their order, 16 hexadecimal digits: the same for the
    /// same images wherever they lie, in folders or archives, and another one where one is renamed,
    /// gone or new.
    public var digest: String {
        var digest = Checksum()
        for row in rows {
            digest.add(index.fileName(Int(row)).bytes)
            digest.add([0])
        }
        return digest.text
    }
}

extension ImageDataset {
    /// Changes with the classes, and with the images of each subset.
    public var digest: UInt64 {
        var digest = Checksum()
        for name in classes { digest.add(name) }
        for subset in Subset.allCases {
            digest.add(self[subset].rows.count)
            digest.add(self[subset].digest)
        }
        return digest.value
    }
}
