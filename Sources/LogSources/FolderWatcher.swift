import Glibc

/// Wakes up when files in some folders change (inotify(7)), or when a stop is asked for.
public final class FolderWatcher {
    private let descriptor: Int32
    private let stop: Int32
    private var watched: [String: Int32] = [:]

    /// Watches nothing yet. `stop` is a descriptor that becomes readable when the waiting shall end.
    public init(stop: Int32) throws {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw SourceProblem.system("inotify") }
        self.stop = stop
    }

    deinit { close(descriptor) }

    /// Watches a folder; one that is not there yet is tried again at the next call. False when it cannot be watched.
    public func watch(_ folder: String) -> Bool {
        guard watched[folder] == nil else { return true }
        let mask = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF
        let number = inotify_add_watch(descriptor, folder, UInt32(mask))
        if number >= 0 { watched[folder] = number }
        return number >= 0
    }

    /// What ended a waiting.
    public enum Wake: Sendable {
        case changed, timeout, stopped
    }

    /// Waits for a change, a stop, or so many milliseconds.
    public func wait(milliseconds: Int32) -> Wake {
        var polled = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
        ]
        let count = poll(&polled, 2, milliseconds)
        if count <= 0 { return .timeout }
        if polled[1].revents != 0 { return .stopped }
        drain()
        return .changed
    }

    /// Takes all that is queued; forgets folders that went away, so that they are watched again when they come back.
    private func drain() {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let got = read(descriptor, &buffer, buffer.count)
            guard got > 0 else { return }
            var at = 0
            while at + 16 <= got {
                let (number, mask, length) = buffer.withUnsafeBytes { raw in
                    (
                        raw.loadUnaligned(fromByteOffset: at, as: Int32.self),
                        raw.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self),
                        raw.loadUnaligned(fromByteOffset: at + 12, as: UInt32.self)
                    )
                }
                if mask & UInt32(IN_IGNORED) != 0 || mask & UInt32(IN_DELETE_SELF) != 0 {
                    watched = watched.filter { $0.value != number }
                }
                at += 16 + Int(length)
            }
        }
    }
}
