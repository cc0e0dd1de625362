import FleetPluginAPI
import KubernetesClient

/// Answers the questions of many with few requests.
///
/// Who asks while a read of the same kind and namespace is under way gets its answer from the next one, together with
/// everybody who asked meanwhile: no answer is older than its question, and a thousand workloads of a namespace that
/// are looked at together cost two requests, not a thousand.
actor SharedReads {
    enum Question: Hashable, Sendable {
        case named(String)
        case labelled(LabelSelector)
        case everything
    }

    struct Place: Hashable, Sendable {
        var kind: ResourceKind
        /// Nil: all namespaces.
        var namespace: String?
    }

    private struct Asker {
        var question: Question
        var continuation: CheckedContinuation<[JSONValue], any Error>
    }

    private let client: KubernetesClient
    private var waiting: [Place: [Int: Asker]] = [:]
    private var busy: Set<Place> = []
    private var nextAsker = 0

    /// Questions that are asked one by one; more are answered from a list of the whole namespace.
    private static let few = 4

    init(_ client: KubernetesClient) {
        self.client = client
    }

    /// The object of this name; nil where there is none.
    func object(_ reference: ObjectReference) async throws -> JSONValue? {
        try await objects(Place(kind: reference.kind, namespace: reference.namespace), .named(reference.name)).first
    }

    /// - Throws: as `KubernetesClient.list`.
    func objects(_ place: Place, _ question: Question) async throws -> [JSONValue] {
        let id = nextAsker
        nextAsker += 1
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                waiting[place, default: [:]][id] = Asker(question: question, continuation: continuation)
                if busy.insert(place).inserted { Task { await serve(place) } }
            }
        } onCancel: {
            Task { await forget(id, place) }
        }
    }

    private func forget(_ id: Int, _ place: Place) {
        waiting[place]?.removeValue(forKey: id)?.continuation.resume(throwing: CancellationError())
    }

    private func serve(_ place: Place) async {
        while let askers = waiting.removeValue(forKey: place), !askers.isEmpty {
            let questions = Set(askers.values.map(\.question))
            let answers = await Self.answer(questions, place, client)
            for asker in askers.values {
                asker.continuation.resume(with: answers(asker.question))
            }
        }
        busy.remove(place)
    }

    private typealias Answers = @Sendable (Question) -> Result<[JSONValue], any Error>

    private static func answer(
        _ questions: Set<Question>, _ place: Place, _ client: KubernetesClient
    ) async -> Answers {
        guard questions.count <= few, !questions.contains(.everything) else {
            do {
                let list = try await client.list(place.kind, namespace: place.namespace).items
                let byName = Dictionary(grouping: list) { $0.objectName ?? "" }
                return { question in .success(question.filter(list, byName)) }
            } catch {
                return { _ in .failure(error) }
            }
        }
        let answers = await withTaskGroup(of: (Question, Result<[JSONValue], any Error>).self) { group in
            for question in questions {
                group.addTask {
                    do {
                        return (question, .success(try await ask(question, place, client)))
                    } catch {
                        return (question, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return { answers[$0] ?? .success([]) }
    }

    private static func ask(
        _ question: Question, _ place: Place, _ client: KubernetesClient
    ) async throws -> [JSONValue] {
        switch question {
        case .named(let name):
            let reference = ObjectReference(place.kind, namespace: place.namespace, name: name)
            return try await client.find(reference).map { [$0] } ?? []
        case .labelled(let selector):
            return try await client.list(place.kind, namespace: place.namespace, labels: selector.text).items
        case .everything:
            return try await client.list(place.kind, namespace: place.namespace).items
        }
    }
}

extension SharedReads.Question {
    func filter(_ list: [JSONValue], _ byName: [String: [JSONValue]]) -> [JSONValue] {
        switch self {
        case .named(let name): byName[name] ?? []
        case .labelled(let selector): list.filter { selector.matches($0.labels) }
        case .everything: list
        }
    }
}
