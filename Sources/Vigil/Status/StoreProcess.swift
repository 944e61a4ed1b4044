import Foundation

/// A program that has the store open: `watch`, or a replay.
public struct StoreProcess: Sendable {
    /// Its number.
    public let pid: Int32
    /// The command that it runs (`watch`).
    public let command: String
    /// Memory that it holds, in bytes.
    public let memory: Int64

    /// Those that may be seen, this one left out: what others run shows to root only.
    static func all(of store: String) -> [StoreProcess] {
        let real = URL(fileURLWithPath: store).resolvingSymlinksInPath().path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.sorted().compactMap { pid in
            guard pid != getpid() else { return nil }
            let folder = "/proc/\(pid)/fd"
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            guard
                files.contains(where: {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)) == real
                })
            else { return nil }
            return StoreProcess(pid: pid, command: command(pid), memory: memory(pid))
        }
    }

    private static func command(_ pid: Int32) -> String {
        let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        let words = String(decoding: bytes, as: UTF8.self).split(separator: "\0").map(String.init)
        let program = words.first?.split(separator: "/").last.map(String.init) ?? "?"
        return program == "pgvigil" && words.count > 1 ? words[1] : program
    }

    /// `VmRSS` of proc(5).
    private static func memory(_ pid: Int32) -> Int64 {
        let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/status") ?? Data()
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) }
        return (number ?? 0) * 1024
    }
}
