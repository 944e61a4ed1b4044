/// A packed body that cannot be taken as a whole.
public enum BodyProblem: Error, Equatable {
    /// It unpacks to more than allowed.
    case tooLarge
    /// It is torn or no such data.
    case corrupt(String)
}

extension Compression {
    /// Unpacks a body that is in memory as a whole; `limit` is how many bytes may come out, so that a small body that
    /// unpacks to terabytes does no harm.
    public func unpack(_ bytes: [UInt8], limit: Int) throws(BodyProblem) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)
        defer { room.deallocate() }
        let decoder = decoder()
        while !rest.isEmpty {
            if let reason = decoder.begin() { throw .corrupt(reason) }
            var isEnd = false
            while !isEnd {
                let step = rest.withUnsafeBytes { decoder.decode($0, into: room) }
                rest = rest.dropFirst(step.taken)
                guard result.count + step.made <= limit else { throw .tooLarge }
                result += room.prefix(step.made)
                if let fault = step.fault { throw .corrupt(fault) }
                isEnd = step.isFrameEnd
                if step.taken == 0, step.made == 0, !isEnd { throw .corrupt("it is torn") }
            }
        }
        return result
    }
}
