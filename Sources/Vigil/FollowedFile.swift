import Foundation
import LogSources

/// A file that `watch` follows.
struct FollowedFile {
    let reader: SourceReader
    /// When something was read of it last.
    var quietSince: Date
    /// It was quiet for so long that sessions which were coming in are in.
    var isSettled = false
    /// What the file was when it was opened.
    let stamp: FileStamp?
    /// Its first bytes when it was opened, and SHA-256 of them.
    let head: [UInt8]
    let fingerprint: String
    /// Where it really stands: a link may lead out of its folder, and what is written is told there.
    let folder: String
    /// It has been read to its end at least once.
    var hasReachedEnd = false
    /// An archive that was read as far as it can be, with what was wrong.
    var isDone = false
    var problem: SourceProblem?

    /// Buffers read at a time: 8 MB, so that no file keeps others waiting.
    private static let share = 32
    /// With so many rows a commit is due.
    private static let mostRows = 4096

    /// Seconds since anything was read of it, or written to it.
    var quiet: Double { max(Date().timeIntervalSince(quietSince), reader.file.age ?? 0) }

    /// Reads what is new, a fair share of it; true when there is more. A file that was quiet for that many seconds is
    /// settled; an archive is finished at its end.
    mutating func advance(settlesAfter patience: Double) throws -> Bool {
        for _ in 0..<FollowedFile.share {
            guard try step() else {
                hasReachedEnd = true
                if reader.file.isArchive {
                    reader.finish(isWhole: problem == nil)
                    isDone = true
                } else if !isSettled, quiet >= patience {
                    reader.settle()
                    isSettled = true
                }
                return false
            }
            quietSince = Date()
            isSettled = false
            if reader.rows >= FollowedFile.mostRows { return true }
        }
        return true
    }

    /// Reads a buffer; false at the end. An archive that is damaged ends there.
    private mutating func step() throws -> Bool {
        do { return try reader.step() } catch let problem as SourceProblem where reader.file.isArchive {
            self.problem = problem
            return false
        }
    }
}
