import Foundation
import HTTPListener

/// A client that sends bytes as it likes.
final class Client {
    let file: Int32

    init(_ listener: HTTPServer) throws {
        guard case .ip4(_, let port) = listener.address else { throw POSIXError(.EINVAL) }
        file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    deinit { close(file) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// All until the other side closes, or ten seconds are over.
    func readAll() -> String {
        var result: [UInt8] = []
        while let part = read() { result += part }
        return String(decoding: result, as: UTF8.self)
    }

    /// What comes next; nil at the end.
    func read() -> [UInt8]? {
        var part = [UInt8](repeating: 0, count: 65536)
        let count = recv(file, &part, part.count, 0)
        return count > 0 ? Array(part[..<count]) : nil
    }

    /// Reads until the text has come.
    func read(until text: String) -> String {
        var result: [UInt8] = []
        while !String(decoding: result, as: UTF8.self).contains(text), let part = read() { result += part }
        return String(decoding: result, as: UTF8.self)
    }

    /// One request on a connection of its own.
    static func get(_ listener: HTTPServer, _ line: String, _ fields: String...) throws -> String {
        let client = try Client(listener)
        let more = fields.map { $0 + "\r\n" }.joined()
        client.send("\(line) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(more)\r\n")
        return client.readAll()
    }
}
