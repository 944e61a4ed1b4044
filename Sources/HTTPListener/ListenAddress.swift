import Glibc

/// Where a listener waits for clients. A port alone means this machine only: whoever wants the world says so.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 address and a port.
    case ip4(String, port: UInt16)
    /// An IPv6 address without brackets, and a port.
    case ip6(String, port: UInt16)
    /// A socket in the file system.
    case unix(String)

    /// How the text is written.
    public static let hint =
        "write a port (loopback only), 127.0.0.1:9655, [::1]:9655, 0.0.0.0:9655, or an absolute path for a socket"

    /// Reads `9655`, `:9655`, `localhost:9655`, `192.0.2.1:9655`, `[::1]:9655`, `unix:/run/x.sock` or `/run/x.sock`; nil
    /// for anything else. Names are not looked up: they may lead elsewhere tomorrow.
    public init?(_ text: String) {
        let path = text.hasPrefix("unix:") ? String(text.dropFirst(5)) : text
        if path.hasPrefix("/") {
            guard path.utf8.count < 108, !path.utf8.contains(0) else { return nil }
            self = .unix(path)
            return
        }
        let colon = text.lastIndex(of: ":")
        let host = colon.map { String(text[..<$0]) } ?? ""
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
            return nil
        }
        if host.isEmpty || host == "localhost" {
            self = .ip4("127.0.0.1", port: port)
        } else if host.hasPrefix("["), host.hasSuffix("]") {
            let inner = String(host.dropFirst().dropLast())
            var address = in6_addr()
            guard inet_pton(AF_INET6, inner, &address) == 1 else { return nil }
            self = .ip6(inner, port: port)
        } else {
            var address = in_addr()
            guard inet_pton(AF_INET, host, &address) == 1 else { return nil }
            self = .ip4(host, port: port)
        }
    }

    /// As it is written in a configuration.
    public var description: String {
        switch self {
        case .ip4(let host, let port): "\(host):\(port)"
        case .ip6(let host, let port): "[\(host)]:\(port)"
        case .unix(let path): path
        }
    }

    /// True when only this machine can reach it.
    public var isLocal: Bool {
        switch self {
        case .ip4(let host, _): host.hasPrefix("127.")
        case .ip6(let host, _):
            {
                var address = in6_addr()
                var loopback = in6_addr()
                inet_pton(AF_INET6, host, &address)
                inet_pton(AF_INET6, "::1", &loopback)
                return withUnsafeBytes(of: &address) { one in
                    withUnsafeBytes(of: &loopback) { one.elementsEqual($0) }
                }
            }()
        case .unix: true
        }
    }
}

/// Why nothing can listen there.
public struct ListenProblem: Error, CustomStringConvertible {
    /// What and why, with a hint.
    public let description: String

    static func system(_ address: ListenAddress, _ number: Int32) -> ListenProblem {
        let hint =
            switch number {
            case EADDRINUSE: "\n  hint: another program, or another `watch`, listens there; choose another port"
            case EADDRNOTAVAIL: "\n  hint: this machine has no such address"
            case EACCES: "\n  hint: ports below 1024, and folders, may need more rights"
            default: ""
            }
        return ListenProblem(description: "cannot listen on \(address): \(String(cString: strerror(number)))" + hint)
    }
}
