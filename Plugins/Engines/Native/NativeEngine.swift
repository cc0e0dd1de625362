// NativeEngine
