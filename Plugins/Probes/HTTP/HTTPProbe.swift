public import FleetPluginAPI
import FoundationEssentials
import HTTPClient

/// Asks a URL: it must answer with the right status, and, where that is asked, with the right words or value in its
/// body.
///
/// What does not answer fails: the user of an application would see the same. Inconclusive is only what kept fleet
/// from asking.
public struct HTTPProbe: Probe {
    let url: String
    let method: HTTPRequest.Method
    let status: Int
    let contains: String?
    private let expectation: Expectation?
    let timeout: Duration
    let header: String
    let secret: SecretReference?
    let resolve: SecretResolver
    let session: HTTPSession

    public static let descriptor = PluginDescriptor(
        role: .probe, name: "http", version: "1.0.0",
        summary: "Passes when a URL answers with the expected status and content.",
        options: [
            OptionSpec("url", .url, required: true, help: "What to ask: http or https."),
            OptionSpec("method", .choice(["GET", "HEAD"]), default: "GET", help: "How to ask."),
            OptionSpec(
                "status", .integer(minimum: 100, maximum: 599), default: 200,
                help: "The status that is well. Redirects are not followed: 302 is an answer."),
            OptionSpec("contains", .string, help: "Text that the body must contain."),
            OptionSpec("pointer", .string, help: "A JSON pointer (RFC 6901) into the body, such as /status."),
            OptionSpec(
                "equals", .any, help: "The value that must be at `pointer`. Without it: anything but null or false."),
            OptionSpec(
                "atLeast", .any, help: "The value at `pointer` is a number, or the text of one, and not smaller."),
            OptionSpec(
                "atMost", .any, help: "The value at `pointer` is a number, or the text of one, and not larger."),
            OptionSpec("timeout", .duration, default: "5s", help: "How long an answer may take."),
            OptionSpec(
                "header", .string, default: "Authorization", help: "The name of the header that carries the secret."),
            OptionSpec(
                "secret", .secret, help: "The value of that header, in full: `Bearer …`. Without it: no header."),
            OptionSpec("authority", .path, help: "Certificate authorities to trust instead of the system's, PEM."),
        ])

    public init(_ context: PluginContext, _ options: PluginOptions) throws {
        url = try options.required("url")
        method = options.string("method").flatMap { HTTPRequest.Method(rawValue: $0) } ?? .get
        status = Int(options.integer("status") ?? 200)
        contains = options.string("contains")
        expectation = try Self.expectation(options)
        timeout = options.duration("timeout") ?? .seconds(5)
        header = options.string("header") ?? "Authorization"
        secret = options.secret("secret")
        resolve = context.resolve
        session = HTTPSession(.init(tls: .init(authorityFile: options.string("authority"))))
        guard method == .get || (contains == nil && expectation == nil) else {
            throw FleetError(.configuration, "HEAD brings no body to look at", hint: "leave method out")
        }
    }

    public func judge(_ context: ProbeContext) async -> ProbeVerdict {
        let deadline = min(timeout, context.deadline)
        var request = HTTPRequest(
            method, url, deadline: deadline, connectTimeout: deadline, stallTimeout: .zero, responseLimit: 4 << 20)
        do {
            if let secret { request.secretHeaders[header] = try await resolve(secret) }
            return judge(try await session.fetch(request))
        } catch is CancellationError {
            return .inconclusive("\(request): cancelled before it answered")
        } catch {
            let error = FleetError(error, "\(request)")
            switch error.code {
            case .unavailable, .timedOut, .denied, .protocolViolation, .exhausted: return .fail(error.description)
            default: return .inconclusive(error.description)
            }
        }
    }

    private func judge(_ result: HTTPResult) -> ProbeVerdict {
        guard result.status == status else {
            return .fail("\(name) answered with status \(result.status) instead of \(status)")
        }
        if let contains, !result.text.contains(contains) {
            return .fail("\(name) answered without the text that is expected")
        }
        if let expectation {
            guard let document = try? JSONDecoder().decode(JSONValue.self, from: Data(result.body)) else {
                return .fail("\(name) answered with something that is not JSON")
            }
            guard let found = expectation.pointer.value(in: document) else {
                return .fail("\(name) answered without a value at \(expectation.text)")
            }
            if let range = expectation.range {
                guard let number = Self.number(found) else {
                    return .fail("\(name) answered with no number at \(expectation.text)")
                }
                guard range.contains(number) else {
                    return .fail("\(name) answered with \(number) at \(expectation.text), which is not \(range.text)")
                }
                return .pass("\(name) answered with \(number) at \(expectation.text)")
            }
            guard Self.matches(found, expectation.value) else {
                return .fail("\(name) answered with another value at \(expectation.text) than is expected")
            }
        }
        return .pass("\(name) answered with status \(status)")
    }

    private var name: String { "\(HTTPRequest(method, url))" }

    private struct Expectation {
        var pointer: JSONPointer
        var text: String
        var value: JSONValue
        var range: Threshold?
    }

    private static func expectation(_ options: PluginOptions) throws -> Expectation? {
        guard let text = options.string("pointer") else {
            for name in ["equals", "atLeast", "atMost"] where options.values[name] != nil {
                throw FleetError(.configuration, "\(name) says nothing without pointer", hint: "add pointer: /…")
            }
            return nil
        }
        let range = try Threshold(options)
        guard range == nil || options.values["equals"] == nil else {
            throw FleetError(.configuration, "equals leaves nothing to atLeast and atMost", hint: "leave one out")
        }
        guard let pointer = JSONPointer(text) else {
            throw FleetError(
                .configuration, "\(text) is not a JSON pointer", hint: "write /member/0; ~0 for ~ and ~1 for / in names"
            )
        }
        return Expectation(pointer: pointer, text: text, value: options.values["equals"] ?? .null, range: range)
    }

    /// Prometheus writes samples as text.
    fileprivate static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .string(let text): Double(text)
        default: nil
        }
    }

    /// Numbers are compared by value; an expectation that is null is met by anything that says yes.
    private static func matches(_ found: JSONValue, _ expected: JSONValue) -> Bool {
        switch (found, expected) {
        case (.null, .null), (.bool(false), .null): false
        case (_, .null): true
        case (.integer(let left), .number(let right)), (.number(let right), .integer(let left)): Double(left) == right
        default: found == expected
        }
    }
}

/// What a number must lie between.
private struct Threshold: Sendable {
    var atLeast: Double?
    var atMost: Double?

    /// Nil where the options name none.
    init?(_ options: PluginOptions) throws {
        for name in ["atLeast", "atMost"] {
            guard let value = options.values[name], value != .null else { continue }
            guard let number = HTTPProbe.number(value) else {
                throw FleetError(.configuration, "\(name) must be a number", hint: "write \(name): 0.5")
            }
            if name == "atLeast" { atLeast = number } else { atMost = number }
        }
        if atLeast == nil, atMost == nil { return nil }
    }

    func contains(_ number: Double) -> Bool {
        number >= atLeast ?? -.infinity && number <= atMost ?? .infinity
    }

    var text: String {
        [atLeast.map { "at least \($0)" }, atMost.map { "at most \($0)" }].compactMap { $0 }.joined(separator: " and ")
    }
}
