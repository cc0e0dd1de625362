// NativeEngineTests
