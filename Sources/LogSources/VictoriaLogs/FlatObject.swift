import Foundation

/// An object whose values are all texts, as VictoriaLogs writes figures.
enum FlatObject {
    static func texts(_ line: [UInt8]) -> [String: String] {
        (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: String] ?? [:]
    }
}
