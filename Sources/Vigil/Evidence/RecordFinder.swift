import EventStore
import Foundation
import LogRecords
import LogSources
import SecurityEvents
import VigilModel

/// What became of a record in its file.
public enum FoundRecord: Sendable {
    /// It is there: its columns that are not empty, by the names of csvlog, without secrets.
    case record([(name: String, value: String)])
    /// It cannot be shown, for that reason.
    case absent(String)

    /// The columns as `name=value`, as one text; nil when it is absent.
    public var text: String? {
        guard case .record(let columns) = self else { return nil }
        return columns.map { name, value in
            let isPlain = value.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 34 && $0 != 61 && $0 != 92 }
            return "\(name)=\(isPlain ? value : Shown.quoted(value))"
        }.joined(separator: " ")
    }
}

/// Reads records back from the files that they came from.
public final class RecordFinder {
    private let configuration: Configuration
    /// The file that was opened last: evidence mostly lies in one.
    private var last: Opened?

    private struct Opened {
        let fingerprint: String
        let file: LogFile
        let profile: SourceProfile
    }

    /// A record is no longer than this, with what its reader needs behind it.
    private static let reach: Int64 = 16 << 20
    private static let piece = 16 << 10

    /// Takes what is known of the sources.
    public init(_ configuration: Configuration) { self.configuration = configuration }

    /// Reads the record at a place, if that is still the file that it was.
    public func record(at place: RecordPlace) -> FoundRecord {
        if place.path == "-" { return .absent("it came from standard input") }
        if place.path.hasPrefix("vector:") { return .absent("it came as a row, from VictoriaLogs or Vector") }
        do {
            let opened: Opened
            if let last, last.file.path == place.path, last.fingerprint == place.fingerprint {
                opened = last
            } else {
                switch try open(place) {
                case .success(let file): opened = file
                case .failure(let absence): return .absent(absence.reason)
                }
                last = opened
            }
            guard let size = opened.file.size, size > place.offset else { return .absent("the file was cut short") }
            return try read(opened.file, at: place.offset, opened.profile)
                ?? .absent("no record begins at this byte any more")
        } catch let problem as SourceProblem {
            let hint = place.path.hasPrefix("/") ? "" : "; the path counts from where it was read"
            return .absent("the file cannot be read: \(problem.reason)\(hint)")
        } catch { return .absent("the file cannot be read: \(error)") }
    }

    private struct Absence: Error {
        let reason: String
    }

    private func open(_ place: RecordPlace) throws -> Result<Opened, Absence> {
        func absent(_ reason: String) -> Result<Opened, Absence> { .failure(Absence(reason: reason)) }
        let file = try LogFile(path: place.path)
        if let packing = file.compression { return absent("the file is packed (\(packing)); unpack it to look there") }
        guard let format = LogFormat(rawValue: place.format), file.isRegular else {
            return absent("there is no file any more")
        }
        let head = try file.head(LogFormat.sniffLength)
        guard head.count >= place.headLength, Fingerprint.sha256(head.prefix(place.headLength)) == place.fingerprint
        else { return absent("the file was rotated: another one has its name now") }
        guard let profile = SourceProfile(file, head: head, format: format, configuration: configuration) else {
            return absent("the file cannot be read as \(place.format)")
        }
        return .success(Opened(fingerprint: place.fingerprint, file: file, profile: profile))
    }

    private func read(_ file: LogFile, at offset: Int64, _ profile: SourceProfile) throws -> FoundRecord? {
        file.seek(to: offset)
        let reader = profile.format.reader(offset: offset, profile.facts)
        var first = First(offset: offset)
        while first.columns == nil, file.offset - offset < RecordFinder.reach {
            // Most records are short, and all that is read must be cut into records.
            let count = try reader.fill {
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0.prefix(RecordFinder.piece)))
            }
            reader.drain(into: &first, atEnd: count == 0)
            if count == 0 { break }
        }
        if first.columns == nil { reader.settle(into: &first) }
        return first.columns.map(FoundRecord.record)
    }

    /// Takes the record that begins at an offset.
    private struct First: RecordConsumer {
        let offset: Int64
        var columns: [(name: String, value: String)]?

        mutating func take(_ records: RecordBatch) {
            for index in 0..<records.count where columns == nil && records[index].offset == offset {
                columns = RecordText.columns(records[index])
            }
        }

        mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
        mutating func skip(_ unread: Unread) {}
        mutating func pass(_ line: TextLine) {}
    }
}
