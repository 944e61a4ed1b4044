import Glibc
import VigilModel

/// A file of JSON lines for others to pick up: `{"kind":"alert",…}`, `{"kind":"event",…}`.
///
/// A batch is on the disk before it counts as taken. When the file is large enough it is renamed to `NAME.1`, older ones
/// move on.
public final class FileSink: Sink {
    /// Where and how much.
    public struct Options: Sendable, Equatable {
        /// The file.
        public var path: String
        /// Bytes at which a new file is begun.
        public var size = 100 << 20
        /// Older files that are kept.
        public var keep = 5

        /// 100 MB a file, five older ones.
        public init(path: String) { self.path = path }
    }

    /// Most deliveries in one request or write.
    public let batchSize = 1000
    private let options: Options

    /// Takes where to write.
    public init(_ options: Options) { self.options = options }

    /// Sends a batch; throws `DeliveryProblem` when it must be tried again.
    public func deliver(_ batch: [Delivery], now: LogTime) throws -> DeliveryResult {
        var bytes: [UInt8] = []
        for delivery in batch where !delivery.row.isEmpty {
            let kind = (key: "kind", value: ShownValue.text(delivery.kind == .event ? "event" : "alert"))
            bytes += ([kind] + delivery.row).json.utf8
            bytes.append(10)
        }
        try append(bytes)
        var result = DeliveryResult()
        result.taken = batch
        return result
    }

    private func append(_ bytes: [UInt8]) throws {
        var file = try open()
        defer { close(file) }
        var size = try mend(file)
        if size > 0, size + bytes.count > options.size {
            try rotate()
            let next = try open()
            close(file)
            file = next
            size = 0
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let reason = String(cString: strerror(errno))
                // Half a batch would be there twice.
                ftruncate(file, off_t(size))
                throw DeliveryProblem("\(options.path): \(reason)")
            }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0 else { throw problem() }
    }

    private func open() throws -> Int32 {
        // A link would lead us to write somebody else's file.
        let file = Glibc.open(options.path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw problem() }
        return file
    }

    /// Takes away what a writer that was killed left of a line: it comes again. Gives the size.
    private func mend(_ file: Int32) throws -> Int {
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw DeliveryProblem("\(options.path): is no regular file")
        }
        var end = Int(status.st_size)
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while end > 0 {
            let start = max(0, end - piece.count)
            let count = pread(file, &piece, end - start, off_t(start))
            guard count > 0 else { throw problem() }
            if let last = piece[..<count].lastIndex(of: 10) {
                end = start + last + 1
                break
            }
            end = start
        }
        if end < Int(status.st_size), ftruncate(file, off_t(end)) != 0 { throw problem() }
        return end
    }

    private func rotate() throws {
        guard options.keep > 0 else {
            guard unlink(options.path) == 0 else { throw problem() }
            return
        }
        for number in stride(from: options.keep - 1, through: 1, by: -1) {
            rename("\(options.path).\(number)", "\(options.path).\(number + 1)")
        }
        guard rename(options.path, options.path + ".1") == 0 else { throw problem() }
    }

    private func problem() -> DeliveryProblem {
        DeliveryProblem("\(options.path): \(String(cString: strerror(errno)))")
    }

    /// Sends a test and finds out where it went.
    public func test(now: LogTime) -> [TestResult] {
        do {
            close(try open())
            return [TestResult(.good, "\(options.path) can be written")]
        } catch { return [TestResult(.bad, "\(error)")] }
    }
}
