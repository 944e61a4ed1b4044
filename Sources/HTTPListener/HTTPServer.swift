import Foundation
import Synchronization

/// A small HTTP/1.1 listener: a few routes, bounded in everything that clients can ask for. It waits on the sockets of
/// FlyingSocks, and cuts requests itself: FlyingFox's own server bounds neither heads, nor their time, nor connections.
public final class HTTPServer: Sendable {
    /// Where it listens; with port 0 the one that was chosen.
    public let address: ListenAddress
    /// Where it was asked to listen.
    public let requested: ListenAddress
    private let file: Int32
    private let router: Mutex<Router>
    private let limits: HTTPLimits
    private let table: ConnectionTable
    /// The first end is readable once it is to stop.
    private let stopping: [Int32]
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Begins to listen, so that a port in use is known at once; nobody is answered before `start`. With a token all but
    /// open routes ask for it.
    public init(
        _ address: ListenAddress, token: BearerToken? = nil, limits: HTTPLimits = HTTPLimits(), routes: [HTTPRoute] = []
    ) throws {
        requested = address
        router = Mutex(Router(routes: routes, token: token))
        self.limits = limits
        table = ConnectionTable(limits)
        (file, self.address) = try ListeningSocket.open(address)
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stopping = ends
    }

    deinit { for end in stopping { close(end) } }

    /// From the next request on, of open connections, too, there are these routes, and this token holds.
    public func serve(_ routes: [HTTPRoute], token: BearerToken?) {
        router.withLock { $0 = Router(routes: routes, token: token) }
    }

    /// Answers from now on, beside whatever this program does.
    public func start() {
        Thread.detachNewThread { [self] in
            accept()
            // It is out of the descriptor now.
            ListeningSocket.close(file, address)
            hasEnded.signal()
        }
    }

    /// Stops listening and ends every connection; the port is free when this returns. To be called once after `start`.
    public func stop() {
        write(stopping[1], "x", 1)
        hasEnded.wait()
        table.stop()
    }

    /// How many clients are connected.
    public var connections: Int { table.count }

    /// Lets clients in until it is stopped. A thread of its own, since it also ends those that are late.
    private func accept() {
        var expired = ContinuousClock.now
        while true {
            let hasRoom = table.makeRoom()
            // Without room they wait in the queue of the kernel.
            guard wait(forClients: hasRoom, milliseconds: hasRoom ? 250 : 10) else { return }
            if ContinuousClock.now - expired > .milliseconds(200) {
                expired = .now
                table.expire()
            }
            guard hasRoom else { continue }
            let client = Foundation.accept(file, nil, nil)
            if client >= 0 {
                take(client)
            } else if ![EAGAIN, EINTR, ECONNABORTED].contains(errno) {
                // No descriptors left, or the like: those who wait are taken later.
                guard wait(forClients: false, milliseconds: 100) else { return }
            }
        }
    }

    /// Waits for a client; false when it is to stop.
    private func wait(forClients: Bool, milliseconds: Int32) -> Bool {
        var files = [
            pollfd(fd: stopping[0], events: Int16(POLLIN), revents: 0),
            pollfd(fd: forClients ? file : -1, events: Int16(POLLIN), revents: 0),
        ]
        poll(&files, 2, milliseconds)
        return files[0].revents == 0
    }

    private func take(_ client: Int32) {
        // Programs that are started meanwhile must not keep a client waiting.
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        table.admit(client)
        ListenerExecutor.start { [self] in
            await Wire.waiting.value
            var connection = Connection(Wire(client), table, limits) { self.router.withLock { $0 } }
            await connection.serve()
            table.leave(client)
            close(client)
        }
    }
}
