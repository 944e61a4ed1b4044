/// Bytes that are no record, with their place: nothing is dropped in silence.
public struct Unread: Sendable, Equatable {
    /// First byte in the (decompressed) file.
    public var offset: Int64
    /// How many bytes.
    public var length: Int64
    /// Why they are no record.
    public var reason: String
    /// The torn end of what was there: it may become a record yet, so it is shown and not kept.
    public var isPending: Bool

    /// Takes the parts.
    public init(offset: Int64, length: Int64, reason: String, isPending: Bool = false) {
        self.offset = offset
        self.length = length
        self.reason = reason
        self.isPending = isPending
    }
}
