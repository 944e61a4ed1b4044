import FlyingSocks
import Foundation

/// The descriptor that waits for clients.
enum ListeningSocket {
    /// Opens it; gives the address with the port that was chosen for port 0.
    static func open(_ address: ListenAddress) throws -> (Int32, ListenAddress) {
        let family =
            switch address {
            case .ip4: AF_INET
            case .ip6: AF_INET6
            case .unix: AF_UNIX
            }
        let file = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { throw ListenProblem.system(address, errno) }
        let socket = Socket(file: .init(rawValue: file))
        do {
            switch address {
            case .ip4(let host, let port):
                // A restart need not wait for the last connections to be forgotten.
                try socket.setValue(true, for: .localAddressReuse)
                try socket.bind(to: .inet(ip4: host, port: port))
            case .ip6(let host, let port):
                try socket.setValue(true, for: .localAddressReuse)
                try socket.bind(to: .inet6(ip6: host, port: port))
            case .unix(let path):
                removeAbandoned(path)
                let mask = umask(0o117)
                defer { umask(mask) }
                try socket.bind(to: .unix(path: path))
            }
            try socket.listen(maxPendingConnection: 128)
            return (file, try named(address, socket))
        } catch {
            Glibc.close(file)
            if case SocketError.failed(_, let number, _) = error { throw ListenProblem.system(address, number) }
            throw ListenProblem(description: "cannot listen on \(address): \(error.localizedDescription)")
        }
    }

    /// Closes it; the file of a socket goes, too.
    static func close(_ file: Int32, _ address: ListenAddress) {
        Glibc.close(file)
        if case .unix(let path) = address { unlink(path) }
    }

    private static func named(_ address: ListenAddress, _ socket: Socket) throws -> ListenAddress {
        switch (address, try socket.sockname()) {
        case (.ip4(let host, 0), .ip4(_, let port)): .ip4(host, port: port)
        case (.ip6(let host, 0), .ip6(_, let port)): .ip6(host, port: port)
        default: address
        }
    }

    /// A socket that nobody listens on is left from one who was killed.
    private static func removeAbandoned(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        guard let probe = try? Socket(domain: AF_UNIX) else { return }
        defer { try? probe.close() }
        do { try probe.connect(to: .unix(path: path)) } catch SocketError.failed(_, ECONNREFUSED, _) {
            unlink(path)
        } catch {}
    }
}
