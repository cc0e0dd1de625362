import FleetPluginAPI
import KubernetesClient
import Testing

@testable import KubernetesWorkloads

@Suite struct ObjectEditTests {
    private static let object: JSONValue = [
        "metadata": ["uid": "u", "resourceVersion": "7", "annotations": ["a/b": "1"]], "spec": ["replicas": 3],
    ]

    @Test func aChangeTestsWhatItWasMadeFrom() {
        var edit = ObjectEdit(Self.object)
        edit.require(["spec", "replicas"])
        edit.set(["metadata", "annotations", "fleet.dev/x~y"], "new")
        edit.set(["spec", "replicas"], 0)
        #expect(
            edit.operations == [
                .test("/metadata/uid", "u"), .test("/spec/replicas", 3),
                .add("/metadata/annotations/fleet.dev~1x~0y", "new"), .replace("/spec/replicas", 0),
            ])
    }

    /// Adding an object that somebody else has made since would empty it.
    @Test func whatMustBeMadeOnTheWayNeedsTheVersionThatWasRead() {
        var edit = ObjectEdit(["metadata": ["uid": "u", "resourceVersion": "7"]])
        edit.set(["metadata", "annotations", "a"], "1")
        edit.set(["metadata", "annotations", "b"], "2")
        #expect(
            edit.operations == [
                .test("/metadata/resourceVersion", "7"), .test("/metadata/uid", "u"),
                .add("/metadata/annotations", [:]),
                .add("/metadata/annotations/a", "1"), .add("/metadata/annotations/b", "2"),
            ])
    }

    @Test func whatIsSoAlreadyIsNoChange() {
        var edit = ObjectEdit(Self.object, isExact: true)
        edit.set(["spec", "replicas"], 3)
        edit.set(["spec", "suspend"], nil)
        #expect(edit.isEmpty)
        edit.set(["metadata", "annotations", "a/b"], nil)
        #expect(!edit.isEmpty && edit.operations.last == .remove("/metadata/annotations/a~1b"))
    }
}
