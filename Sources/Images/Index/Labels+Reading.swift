extension Labels {
    /// Whether a file's name is that of a development kit or a list of synsets or labels.
    static func isLabelFile(_ name: String) -> Bool {
        let name = name.lowercased()
        let isText = name.hasSuffix(".txt") || name.hasSuffix(".csv")
        let words = ["synset", "ground_truth", "val_solution", "labels"]
        return name.contains("devkit") && (name.hasSuffix(".gz") || name.hasSuffix(".tgz"))
            || name == "meta.mat" || isText && words.contains { name.contains($0) }
    }

    /// Takes in a development kit, packed or not, or a text file.
    mutating func add(_ path: String) throws(ImagesError) {
        let file = try ByteFile(path)
        try add(try file.bytes(at: 0, count: file.size), path: path)
    }

    private mutating func addKit(_ archive: ByteFile) throws(ImagesError) {
        guard try TarReader.isArchive(archive) else {
            throw .damaged(
                path: archive.path, what: "holds no tar archive",
                remedy: "give ILSVRC2012_devkit_t12.tar.gz as it was downloaded")
        }
        var reader = TarReader(archive)
        var isUseful = false
        while let member = try reader.next() {
            let name = FileName.parts(of: member.name.bytes).last ?? member.name
            guard member.kind == .file, !name.isHidden, Self.isLabelFile(name.text) else {
                continue
            }
            try add(
                try archive.bytes(at: member.offset, count: member.size),
                path: "\(archive.path): \(member.name.text)")
            isUseful = true
        }
        if !isUseful {
            throw .damaged(
                path: archive.path, what: "holds neither meta.mat nor a ground truth",
                remedy: "give ILSVRC2012_devkit_t12.tar.gz as it was downloaded")
        }
    }

    /// Takes in the bytes of a packed development kit, of meta.mat or of a text file.
    mutating func add(_ bytes: [UInt8], path: String) throws(ImagesError) {
        fileCount += 1
        if Gzip.isPacked(bytes) {
            let content: [UInt8]
            do throws(Gzip.Damage) {
                content = try Gzip.unpacked(bytes)
            } catch {
                throw .damaged(
                    path: path, what: error.what,
                    remedy: "download it again, or give its unpacked folder")
            }
            try addKit(ByteFile(path: path, content: content))
        } else if path.hasSuffix(".mat") {
            try addSynsets(MatFile(bytes, path: path), path: path)
        } else {
            try addText(TextFile.text(bytes, path: path), path: path)
        }
    }

    /// `meta.mat`: an array of structures, the 1,000 classes first and then what they are kinds of.
    private mutating func addSynsets(_ file: MatFile, path: String) throws(ImagesError) {
        guard case .structures(let fields) = file.variables["synsets"],
            let identifiers = fields["ILSVRC2012_ID"], let names = fields["WNID"]
        else {
            throw .damaged(
                path: path, what: "has no synsets with ILSVRC2012_ID and WNID",
                remedy: "give the development kit of 2012")
        }
        var found: [Int: String] = [:]
        for place in identifiers.indices {
            let children = fields["num_children"]?[place].number ?? 0
            guard children == 0, let number = identifiers[place].number,
                let identifier = Int(exactly: number), let name = names[place].string
            else { continue }
            if let other = found.updateValue(name, forKey: identifier), other != name {
                throw contradiction(path, path, "names the class \(identifier) otherwise")
            }
            words[name] = fields["words"]?[place].string
            trainingCounts[name] = fields["num_train_images"]?[place].number
                .flatMap { Int(exactly: $0) }
        }
        guard !found.isEmpty, found.keys.sorted() == Array(1...found.count) else {
            throw .damaged(
                path: path, what: "does not number its classes from 1 on",
                remedy: "give the development kit of 2012")
        }
        classes = found.sorted { $0.key < $1.key }.map(\.value)
        (classSource, isKitOrder) = (path, true)
    }

    /// A list of classes (`n01440764 tench, Tinca tinca`), a label for each validation image in
    /// order, or lines `ILSVRC2012_val_00000001.JPEG LABEL`.
    private mutating func addText(_ text: String, path: String) throws(ImagesError) {
        let lines = text.split(whereSeparator: \.isNewline)
            .map { $0.split(maxSplits: 1) { $0 == " " || $0 == "\t" || $0 == "," } }
            .filter { !$0.isEmpty && $0[0] != "ImageId" }
        guard !lines.isEmpty else {
            throw .damaged(path: path, what: "has no lines", remedy: "download it again")
        }
        let first = lines.map { String($0[0]) }
        let isNamed = first.allSatisfy { $0.contains("_val_") }
        if isNamed {
            try addNamed(lines, path: path)
        } else if first.allSatisfy({ Int($0) != nil }) {
            try addTruth(first.compactMap { Int($0).map { .identifier($0) } }, path: path)
        } else if Set(first).count < first.count {
            try addTruth(first.map { .name($0) }, path: path)
        } else {
            if !isKitOrder {
                if let classSource, classes != first { rivalClassSource = classSource }
                (classes, classSource) = (first, path)
            }
            for line in lines where line.count > 1 {
                words[String(line[0])] = line[1].trimmingPrefix { $0 == " " }.description
            }
        }
    }

    /// Lines of an image's name and its label.
    private mutating func addNamed(
        _ lines: [[Substring]], path: String
    ) throws(ImagesError) {
        for line in lines {
            // A label may be followed by boxes: n03995372 85 131 499 254.
            let word =
                line.count > 1 ? line[1].split { $0 == " " || $0 == "\t" }.first : nil
            guard let word else {
                throw .damaged(
                    path: path, what: "has no label for \(line[0])", remedy: "complete it")
            }
            let label = Int(word).map { Label.sortedNumber($0) } ?? .name(String(word))
            let stem = Self.stem(String(line[0]))
            if let other = named.updateValue(label, forKey: stem), other != label {
                throw contradiction(path, namedSource ?? path, "labels \(line[0]) otherwise")
            }
        }
        (truthSource, namedSource) = (path, path)
    }

    /// tiny-imagenet's `val_annotations.txt`: an image's name, its class and a box, with tabs.
    mutating func addAnnotations(_ bytes: [UInt8], path: String) throws(ImagesError) {
        let text = try TextFile.text(bytes, path: path)
        let lines = text.split(whereSeparator: \.isNewline).map {
            $0.split(maxSplits: 1) { $0 == "\t" || $0 == " " }
        }
        try addNamed(lines, path: path)
        fileCount += 1
    }

    /// Whether a file's name is that of tiny-imagenet's labels.
    static func isAnnotations(_ name: FileName) -> Bool { name.text == "val_annotations.txt" }

    /// What many classes show, of which the data set has a part: `n00001740 entity`.
    mutating func addWords(_ bytes: [UInt8], path: String) throws(ImagesError) {
        for line in try TextFile.text(bytes, path: path).split(whereSeparator: \.isNewline) {
            let parts = line.split(maxSplits: 1) { $0 == "\t" || $0 == " " }
            if parts.count == 2 { words[String(parts[0])] = String(parts[1]) }
        }
        fileCount += 1
    }

    /// A label for each validation image in its order.
    private mutating func addTruth(_ labels: [Label], path: String) throws(ImagesError) {
        if let listSource, groundTruth != labels {
            throw contradiction(path, listSource, "labels the validation images otherwise")
        }
        (groundTruth, truthSource, listSource) = (labels, path, path)
    }

    /// Of two sources that say different things none is believed.
    func contradiction(_ path: String, _ other: String, _ what: String) -> ImagesError {
        .damaged(
            path: path, what: path == other ? "\(what) within itself" : "\(what) than \(other)",
            remedy: "leave the wrong one out")
    }
}
