/// Numbers as settings are written: decimal.
///
/// YAML 1.1 reads `010` as eight and `1:30` as ninety, YAML 1.2 as ten and as text; who pads the
/// number of a job with zeros means ten. Forms that are no decimal number, such as `0x10`, are none
/// here.
enum PlainNumber {
    /// A whole number, written so that all versions of YAML and JSON read the same.
    static func integer(_ text: String) -> String? { Int(text).map { "\($0)" } }

    /// A number, written so that all versions of YAML and JSON read the same; as it was, where it is
    /// written so already.
    static func number(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ Array("0123456789+-.eE".utf8).contains($0) }),
            let value = Double(text), value.isFinite
        else { return nil }
        let isPlain = text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/) != nil
        return isPlain ? text : "\(value)"
    }
}
