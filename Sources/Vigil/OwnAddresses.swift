import Foundation
import Responses
import VigilModel

/// The addresses of this machine's interfaces (getifaddrs(3)). Loopback is not among them: `bans.loopback` is about that.
enum OwnAddresses {
    static func entries() -> [AllowEntry] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var entries: [AllowEntry] = []
        var next = first
        while let interface = next?.pointee {
            next = interface.ifa_next
            guard let address = interface.ifa_addr.flatMap(address), !address.isLoopback else { continue }
            let name = String(cString: interface.ifa_name)
            entries.append(
                AllowEntry(
                    cidr: CIDR(address, prefix: address.bitWidth), reason: "an address of this machine (\(name))"))
        }
        return entries
    }

    private static func address(_ pointer: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET:
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                IPAddress(v4: UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
            }
        case AF_INET6:
            return pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { v6 in
                withUnsafeBytes(of: v6.pointee.sin6_addr) { bytes in
                    IPAddress(
                        high: UInt64(bigEndian: bytes.load(as: UInt64.self)),
                        low: UInt64(bigEndian: bytes.load(fromByteOffset: 8, as: UInt64.self)))
                }
            }
        default: return nil
        }
    }
}
