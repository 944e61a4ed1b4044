import EventStore
import Foundation
import LogRecords
import LogSources
import VigilModel

/// What a file is, by its first bytes and by what the configuration knows of it.
struct SourceProfile: Sendable {
    /// How it is read.
    let format: LogFormat
    /// What its reader must know.
    let facts: ReadingFacts
    /// What the store knows it by.
    let identity: FileIdentity
    /// Bytes on the disk; nil for a stream.
    let size: Int64?
    /// When it was last written to, in seconds before now; nil for a stream.
    let age: Double?
    /// True when it is packed.
    let isArchive: Bool
    /// When its first record was written; nil when there is none in its head.
    let start: LogTime?

    /// Looks at an open file; nil when it has no bytes yet or is of no known format, which `head` then tells. A format
    /// that was asked for, or configured, is taken without a look.
    init?(_ file: LogFile, head: [UInt8], format asked: LogFormat?, configuration: Configuration) {
        let known = configuration.source(for: file.path)
        guard !head.isEmpty,
            let format = asked ?? known?.format ?? LogFormat.detect(head, path: file.unpackedPath)
        else { return nil }
        let node = configuration.node.identity(of: file.path)
        self.format = format
        size = file.size
        age = file.age
        isArchive = file.isArchive
        var facts = ReadingFacts(timezone: known?.timezone, prefix: known?.prefix, head: head)
        facts.newest = LogTime(milliseconds: Int64((Date().timeIntervalSince1970 - (file.age ?? 0)) * 1000))
        self.facts = facts
        start = LogStart.time(format, facts)
        identity = FileIdentity(
            path: file.path, device: file.device, inode: file.inode,
            size: file.isArchive ? .max : file.size ?? .max,
            head: Array(head.prefix(FileIdentity.headLength)), format: format.rawValue,
            cluster: known?.cluster ?? node?.cluster, instance: known?.instance ?? node?.instance)
    }

    /// What decides whether another file holds the same.
    func candidate(isNamed: Bool) -> SameLog.Candidate {
        SameLog.Candidate(
            path: identity.path, form: ServerLogForm(format), start: start, age: age, isNamed: isNamed)
    }
}
