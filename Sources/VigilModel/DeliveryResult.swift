/// What came of an attempt to deliver.
public struct DeliveryResult: Sendable {
    /// Taken by the sink.
    public var taken: [Delivery] = []
    /// Refused for what they are, with the reason: they are set aside.
    public var refused: [(delivery: Delivery, reason: String)] = []
    /// Alerts that the sink keeps telling, and until when.
    public var firing: [(alert: Int64, end: LogTime)] = []
    /// Something that is wrong although things were taken.
    public var problem: String?

    /// Nothing.
    public init() {}
}
