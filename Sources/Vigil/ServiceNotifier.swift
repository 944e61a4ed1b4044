import Foundation
import VigilModel

/// Tells a service manager how the program stands, as sd_notify(3) describes: datagrams to the socket that the variable
/// NOTIFY_SOCKET names. Without one nothing is sent.
final class ServiceNotifier {
    /// What a service manager knows of a service (sd_notify(3)).
    enum State {
        /// It works: it follows what it was told to.
        case ready
        /// It reads its configuration again; `ready` follows.
        case reloading
        /// It ends.
        case stopping
        /// A line for who asks how it stands.
        case status(String)
    }

    private let socket: Int32
    /// The least time between two signs of life; nil when nobody waits for any.
    private let interval: Duration?
    private var last: ContinuousClock.Instant?

    /// Takes the variables; `process` is who they must be meant for (`WATCHDOG_PID`).
    init(
        _ environment: [String: String] = ProcessInfo.processInfo.environment,
        process: Int32 = ProcessInfo.processInfo.processIdentifier
    ) {
        socket = environment["NOTIFY_SOCKET"].flatMap(ServiceNotifier.connect) ?? -1
        let isMeant = environment["WATCHDOG_PID"].map { $0 == String(process) } ?? true
        let limit = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
        // Half of what is allowed, as sd_watchdog_enabled(3) advises.
        interval = isMeant ? limit.flatMap { $0 > 0 ? .microseconds($0 / 2) : nil } : nil
    }

    deinit { if socket >= 0 { close(socket) } }

    /// A socket that leads there; nil when none can. A name that begins with @ is an abstract one (unix(7)).
    private static func connect(_ name: String) -> Int32? {
        guard name.hasPrefix("/") || name.hasPrefix("@") else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + bytes.count }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0, let length else { return nil }
        let isConnected = withUnsafePointer(to: address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(length)) == 0
            }
        }
        if !isConnected { close(socket) }
        return isConnected ? socket : nil
    }

    /// Tells of a change.
    func tell(_ state: State) {
        switch state {
        case .ready: send("READY=1")
        case .reloading: send("RELOADING=1\nMONOTONIC_USEC=\(ServiceNotifier.monotonic)")
        case .stopping: send("STOPPING=1")
        case .status(let text): send("STATUS=" + Shown.text(text))
        }
    }

    /// Says that the program goes on, as often as is asked for. Who hangs does not come here, and is started anew.
    func live() {
        guard socket >= 0, let interval else { return }
        let now = ContinuousClock.now
        if let last, now - last < interval { return }
        last = now
        send("WATCHDOG=1")
    }

    /// CLOCK_MONOTONIC, in microseconds.
    private static var monotonic: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// A manager that does not take it now must not hold up reading.
    private func send(_ text: String) {
        guard socket >= 0 else { return }
        _ = Glibc.send(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
}
