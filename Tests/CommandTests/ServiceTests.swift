import Foundation
import Testing

/// What `watch` tells systemd, as sd_notify(3) has it.
@Suite("watch as a service")
struct ServiceTests {
    /// A manager's end of the socket.
    private final class Manager {
        let path: String
        private let socket: Int32
        private(set) var told: [String] = []

        init(_ path: String) throws {
            self.path = path
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let isBound = withUnsafePointer(to: address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
            try #require(socket >= 0 && isBound)
            var patience = timeval(tv_sec: 0, tv_usec: 100_000)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { close(socket) }

        /// Listens until something was told so often, at most twenty seconds.
        func hears(_ text: String, times: Int = 1) -> Bool {
            let end = Date(timeIntervalSinceNow: 20)
            while told.count(where: { $0.hasPrefix(text) }) < times, Date() < end {
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = recv(socket, &bytes, bytes.count, 0)
                if count > 0 { told.append(String(decoding: bytes.prefix(count), as: UTF8.self)) }
            }
            return told.count(where: { $0.hasPrefix(text) }) >= times
        }
    }

    @Test("is ready, lives, reads its configuration again and stops", arguments: ["own", "other"])
    func tells(_ who: String) throws {
        // The path of a socket is short.
        let folder = URL(fileURLWithPath: "/tmp").appending(path: "pgvigil-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let manager = try Manager(folder.appending(path: "notify").path)
        let process = Process()
        process.executableURL = Program.binary
        process.arguments = [
            "watch", "--store", folder.appending(path: "a.db").path, Program.root.appending(path: "samples").path,
        ]
        // A watchdog that waits for somebody else's signs gets none.
        let watchdog = ["WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"]
        process.environment = ProcessInfo.processInfo.environment
            .merging(["NOTIFY_SOCKET": manager.path], uniquingKeysWith: { $1 })
            .merging(watchdog.filter { $0.key != "WATCHDOG_PID" || who == "other" }, uniquingKeysWith: { $1 })
        process.standardError = FileHandle.nullDevice
        try process.run()
        #expect(manager.hears("READY=1"))
        #expect(manager.hears("STATUS=reads "))
        if who == "own" { #expect(manager.hears("WATCHDOG=1", times: 3)) }
        kill(process.processIdentifier, SIGHUP)
        #expect(manager.hears("RELOADING=1\nMONOTONIC_USEC="))
        #expect(manager.hears("READY=1", times: 2))
        process.terminate()
        #expect(manager.hears("STOPPING=1"))
        process.waitUntilExit()
        if who == "other" { #expect(!manager.told.contains("WATCHDOG=1")) }
    }
}
