import FlyingSocks
import Glibc

/// Bytes from and to one client; waiting holds no thread.
struct Wire: Sendable {
    let file: Int32
    private let socket: Socket

    /// One for the process: it costs a thread, and would leave a descriptor behind each time it were stopped.
    static let pool: SocketPool<ePoll> = .ePoll()

    /// The waiting itself; runs as long as the process.
    static let waiting = ListenerExecutor.start {
        try? await pool.prepare()
        ListenerExecutor.start { try? await pool.run() }
    }

    init(_ file: Int32) {
        self.file = file
        socket = Socket(file: .init(rawValue: file))
    }

    /// What has come, no more than so many bytes; empty when the client is gone.
    func read(atMost limit: Int) async -> [UInt8] {
        while true {
            var count = 0
            var number: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
                count = recv(file, buffer.baseAddress, limit, Int32(MSG_DONTWAIT))
                number = errno
                filled = max(0, count)
            }
            if count >= 0 { return bytes }
            if number == EINTR { continue }
            guard number == EAGAIN, await wait(.read) else { return [] }
        }
    }

    /// Sends all; false when the client is gone.
    func write(_ bytes: [UInt8]) async -> Bool {
        var sent = 0
        while sent < bytes.count {
            // Not write(2): who hangs up must not end this program.
            let count = bytes.withUnsafeBytes { buffer in
                send(
                    file, buffer.baseAddress?.advanced(by: sent), buffer.count - sent,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count > 0 {
                sent += count
                continue
            }
            let number = errno
            if number == EINTR { continue }
            guard number == EAGAIN, await wait(.write) else { return false }
        }
        return true
    }

    /// Waits until there is something; false when there will be nothing.
    func wait(_ event: Socket.Event) async -> Bool {
        do { try await Wire.pool.suspendSocket(socket, untilReadyFor: [event]) } catch { return false }
        return true
    }
}
