import Foundation

/// A list could not be written, or who uses it could not be told.
struct ListProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// What errno says.
    static func system(_ what: String) -> ListProblem { ListProblem("\(what): \(String(cString: strerror(errno)))") }
}
