/// An event or an alert on its way to a sink.
public struct Delivery: Sendable {
    /// What it is.
    public enum Kind: Int64, Sendable, CaseIterable {
        case alert = 0
        case event = 1
    }

    /// What it is.
    public var kind: Kind
    /// Its number in the store.
    public var item: Int64
    /// How often it was told to be sent: more than was read means that it says more by now.
    public var version: Int64
    /// Its keys, as `events` and `alerts` show them.
    public var row: ShownRow

    /// Takes all parts.
    public init(kind: Kind, item: Int64, version: Int64, row: ShownRow) {
        self.kind = kind
        self.item = item
        self.version = version
        self.row = row
    }

    /// `event.id` or `alert.id`.
    public var id: String { row.value(kind == .event ? "event.id" : "alert.id")?.text ?? "" }
}

/// What a sink takes.
public struct Subscription: Sendable, Equatable {
    /// The sink's name in the configuration.
    public var name: String
    /// Events of all kinds.
    public var events: Bool
    /// Alerts at least so severe; nil: none.
    public var alerts: Severity?
    /// Alerts that are older than so many milliseconds when they are found are not sent; nil: all are.
    public var oldest: Int64?

    /// Takes all parts.
    public init(name: String, events: Bool, alerts: Severity?, oldest: Int64?) {
        self.name = name
        self.events = events
        self.alerts = alerts
        self.oldest = oldest
    }
}
