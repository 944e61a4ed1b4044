import Foundation
import VigilModel

/// What is said to a person: on standard error, colours only on a terminal.
enum Talk {
    static let isTerminal = isatty(2) == 1
    static let hasColour =
        isTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
        && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    static func error(_ text: String) { say((hasColour ? "\u{1B}[1;31merror:\u{1B}[0m " : "error: ") + text) }

    static func warning(_ text: String) { say((hasColour ? "\u{1B}[1;33mwarning:\u{1B}[0m " : "warning: ") + text) }
}

/// A progress bar with rate and time left: on a terminal only.
final class Progress {
    private let started = Date()
    private var last = Date.distantPast

    func show(_ read: Int64, of total: Int64?) {
        let now = Date()
        guard Talk.isTerminal, now.timeIntervalSince(last) > 0.1 else { return }
        last = now
        let seconds = now.timeIntervalSince(started)
        let rate = seconds > 0 ? Double(read) / seconds : 0
        var text = "\(Sizes.bytes(read)) at \(Sizes.bytes(Int64(rate)))/s"
        if let total, total > 0 {
            let part = min(1, Double(read) / Double(total))
            let filled = Int(part * 30)
            let left = rate > 0 ? Int64(Double(max(0, total - read)) / rate * 1000) : 0
            let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: 30 - filled)
            text = "\(bar) \(Int(part * 100)) %  \(text), \(Shown.duration(left)) left"
        }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    func clear() {
        if Talk.isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }
}

/// Numbers for people.
enum Sizes {
    static func bytes(_ count: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var value = Double(count)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 ? "\(count) B" : String(format: "%.1f %@", value, units[unit])
    }

    static func count(_ number: Int64) -> String {
        let digits = String(number)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digit != "-" { result += "," }
            result.append(digit)
        }
        return result
    }

    static func plural(_ number: Int, _ word: String) -> String {
        "\(count(Int64(number))) \(word)\(number == 1 ? "" : "s")"
    }
}
