import Foundation
import Responses
import VigilModel

/// HAProxy's socket for commands (management guide, "Unix Socket commands").
struct HAProxySocket {
    let path: String

    /// Milliseconds that nothing may happen; and what a reply may hold.
    private static let patience: Int32 = 5000, replyLimit = 16 << 20

    /// True for a path that leads to a socket.
    static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// What HAProxy holds of an ACL: a line `0x55d0a3c0 192.0.2.7` for each, of a network with its length.
    func blocks(ofACL file: String) throws -> Set<CIDR> {
        let reply = try ask("show acl \(file)\n")
        var blocks: Set<CIDR> = []
        for line in reply.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard words.count == 2, words[0].hasPrefix("0x"), let block = CIDR(String(words[1])) else {
                throw ListProblem("\(path): HAProxy says: \(Shown.text(String(line), limit: 200))")
            }
            blocks.insert(block)
        }
        return blocks
    }

    /// Puts a list in the place of what HAProxy has of an ACL, at once: the version is asked for first.
    func swap(_ list: BlockList, aclFile: String) throws {
        let reply = try ask("prepare acl \(aclFile)\n")
        guard
            let number = reply.split(separator: ":").last.flatMap({
                Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
            })
        else { throw ListProblem("\(path): HAProxy says: \(reply.prefix(200))") }
        var options = BlockListOptions()
        options.aclFile = aclFile
        options.aclVersion = number
        let commands = BlockListFormat.haproxyRuntime.render(list, options).split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .filter { !$0.hasPrefix("prepare ") }.joined(separator: "\n")
        // Nothing but prompts means that all went well.
        let said = try ask(commands).split { $0.isNewline || $0 == ">" || $0 == " " }
        guard said.isEmpty else {
            throw ListProblem("\(path): HAProxy says: \(said.joined(separator: " ").prefix(200))")
        }
    }

    private func ask(_ text: String) throws -> String {
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard file >= 0 else { throw ListProblem.system(path) }
        defer { close(file) }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(file, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw ListProblem("\(path): too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isConnected else { throw ListProblem.system(path) }
        return try exchange(Array(text.utf8), over: file)
    }

    /// Sends and reads at a time: HAProxy answers every command of a long list before it reads the next.
    private func exchange(_ bytes: [UInt8], over file: Int32) throws -> String {
        var sent = 0
        var reply: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while reply.count < HAProxySocket.replyLimit {
            let waits = sent < bytes.count ? POLLIN | POLLOUT : POLLIN
            var waiting = pollfd(fd: file, events: Int16(waits), revents: 0)
            guard poll(&waiting, 1, HAProxySocket.patience) > 0 else {
                throw ListProblem("\(path): HAProxy does not answer")
            }
            if waiting.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
                let count = recv(file, &part, part.count, Int32(MSG_DONTWAIT))
                if count < 0, errno != EAGAIN, errno != EINTR { throw ListProblem.system(path) }
                if count == 0 {
                    guard sent == bytes.count else {
                        let said = Shown.text(String(decoding: reply.suffix(200), as: UTF8.self))
                        throw ListProblem("\(path): HAProxy ended the connection: \(said)")
                    }
                    break
                }
                if count > 0 { reply += part[..<count] }
            }
            if sent < bytes.count, waiting.revents & Int16(POLLOUT) != 0 {
                let count = bytes.withUnsafeBytes {
                    send(
                        file, $0.baseAddress?.advanced(by: sent), min(65_536, bytes.count - sent),
                        Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
                }
                if count < 0, errno != EAGAIN, errno != EINTR { throw ListProblem.system(path) }
                sent += max(0, count)
            }
        }
        return String(decoding: reply, as: UTF8.self)
    }
}
