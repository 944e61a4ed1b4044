import Foundation

/// A queue between reading threads and the one that writes: who is ahead waits.
final class Handoff<Element: Sendable>: @unchecked Sendable {
    // Unchecked: every access to the state is under the condition's lock.
    private let condition = NSCondition()
    private var elements: [Element] = []
    private var producers: Int
    private let limit: Int

    init(producers: Int, limit: Int) {
        self.producers = producers
        self.limit = limit
    }

    /// Hands over an element; waits while the queue is full.
    func put(_ element: Element) {
        condition.lock()
        while elements.count >= limit { condition.wait() }
        elements.append(element)
        condition.broadcast()
        condition.unlock()
    }

    /// Says that one producer is done.
    func finish() {
        condition.lock()
        producers -= 1
        condition.broadcast()
        condition.unlock()
    }

    /// Everything that waits; waits for the first. Empty when all producers are done.
    func takeAll() -> [Element] {
        condition.lock()
        defer { condition.unlock() }
        while elements.isEmpty && producers > 0 { condition.wait() }
        defer {
            elements = []
            condition.broadcast()
        }
        return elements
    }
}
