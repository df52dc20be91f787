// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDBSQLite

// SQLite calls a VFS with C functions and raw memory. All unsafe pointers of the faulty file system are in this file:
// they are SQLite's, valid for the call, and none is kept but those that say so.

extension FaultyFileSystem {
    /// An open file as SQLite has it.
    private typealias File = UnsafeMutablePointer<sqlite3_file>
    /// A VFS as SQLite has it.
    private typealias VFS = UnsafeMutablePointer<sqlite3_vfs>

    /// Puts the faulty file system before the system's own, once in a process.
    static func register() throws {
        guard registration == SQLITE_OK else { throw VFSError(code: registration) }
    }

    /// What SQLite answered to the one registration.
    private static let registration: Int32 = {
        guard let system = sqlite3_vfs_find(nil) else { return SQLITE_ERROR }
        // SQLite keeps the VFS and its name for as long as the process lives, so neither is freed.
        let vfs = VFS.allocate(capacity: 1)
        vfs.initialize(to: system.pointee)
        vfs.pointee.zName = UnsafePointer(strdup("faulty"))
        vfs.pointee.pAppData = UnsafeMutableRawPointer(system)
        vfs.pointee.szOsFile += Int32(MemoryLayout<OpenFile>.stride)
        vfs.pointee.xOpen = { open($0, $1, $2, $3, $4) }
        vfs.pointee.xDelete = { delete($0, $1, $2) }
        vfs.pointee.xAccess = { access($0, $1, $2, $3) }
        return sqlite3_vfs_register(vfs, 1)
    }()

    /// What SQLite's memory for an open file begins with; the file of the system's own VFS follows it.
    ///
    /// The base has to be first, as SQLite takes the whole for one.
    private struct OpenFile {
        var base: sqlite3_file
        var handle: Unmanaged<Handle>
    }

    /// An open file of a faulty file system; SQLite uses it from one thread at a time.
    private final class Handle {
        /// The file system that it is in.
        let disk: FaultyFileSystem
        /// Its number there.
        let file: Int
        /// As SQLite's VFS for Unix does with journals, the first sync of a handle is of the directory too.
        var syncsDirectory: Bool

        /// A handle on a file of a file system.
        init(disk: FaultyFileSystem, file: Int, syncsDirectory: Bool) {
            (self.disk, self.file, self.syncsDirectory) = (disk, file, syncsDirectory)
        }
    }

    /// The file of the system's own VFS behind a file.
    private static func inner(_ file: File) -> File {
        UnsafeMutableRawPointer(file).advanced(by: MemoryLayout<OpenFile>.stride)
            .assumingMemoryBound(to: sqlite3_file.self)
    }

    /// What is known of an open file, and the methods of the system's own.
    private static func parts(_ file: File) -> (handle: Handle, inner: File, methods: sqlite3_io_methods) {
        let handle = UnsafeMutableRawPointer(file).assumingMemoryBound(to: OpenFile.self).pointee.handle
        let inner = inner(file)
        return (handle.takeUnretainedValue(), inner, inner.pointee.pMethods.pointee)
    }

    /// The system's own VFS behind ours.
    private static func system(_ vfs: VFS?) -> VFS? {
        vfs?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self)
    }

    /// `xOpen`: in a claimed directory a file of ours around one of the system's.
    private static func open(
        _ vfs: VFS?,
        _ path: UnsafePointer<CChar>?,
        _ file: File?,
        _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let system = system(vfs), let file else { return SQLITE_MISUSE }
        let name = path.map { String(cString: $0) } ?? ""
        guard let disk = claiming(name) else { return system.pointee.xOpen(system, path, file, flags, outFlags) }
        // SQLite closes only what has methods.
        file.pointee.pMethods = nil
        guard disk.hasPower else { return SQLITE_IOERR }
        let inner = inner(file)
        let code = system.pointee.xOpen(system, path, inner, flags, outFlags)
        guard code == SQLITE_OK else { return code }
        guard let number = disk.open((name as NSString).lastPathComponent) else {
            _ = inner.pointee.pMethods.pointee.xClose(inner)
            return SQLITE_IOERR
        }
        let journals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL
        let syncsDirectory = flags & SQLITE_OPEN_CREATE != 0 && flags & journals != 0
        let handle = Handle(disk: disk, file: number, syncsDirectory: syncsDirectory)
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: OpenFile.self).initialize(
            to: OpenFile(base: sqlite3_file(pMethods: methods), handle: .passRetained(handle))
        )
        return SQLITE_OK
    }

    /// `xDelete`.
    private static func delete(_ vfs: VFS?, _ path: UnsafePointer<CChar>?, _ syncDirectory: Int32) -> Int32 {
        guard let system = system(vfs), let path else { return SQLITE_MISUSE }
        let name = String(cString: path)
        guard let disk = claiming(name) else { return system.pointee.xDelete(system, path, syncDirectory) }
        let verdict = disk.delete((name as NSString).lastPathComponent, syncingDirectory: syncDirectory != 0)
        return verdict == .proceed ? system.pointee.xDelete(system, path, 0) : SQLITE_IOERR
    }

    /// `xAccess`.
    private static func access(
        _ vfs: VFS?,
        _ path: UnsafePointer<CChar>?,
        _ flags: Int32,
        _ result: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let system = system(vfs), let path else { return SQLITE_MISUSE }
        if let disk = claiming(String(cString: path)), !disk.hasPower { return SQLITE_IOERR }
        return system.pointee.xAccess(system, path, flags, result)
    }

    /// Made once, before the first file is opened, and never changed; SQLite keeps it.
    nonisolated(unsafe) private static let methods: UnsafePointer<sqlite3_io_methods> = {
        var methods = sqlite3_io_methods()
        // Without memory-mapped files, which are version 3.
        methods.iVersion = 2
        addContents(to: &methods)
        addLocks(to: &methods)
        let memory = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        memory.initialize(to: methods)
        return UnsafePointer(memory)
    }()

    /// What is in files.
    ///
    /// The type's name stands before each call, as a C function cannot capture the type as `Self`.
    private static func addContents(to methods: inout sqlite3_io_methods) {
        methods.xClose = { $0.map { FaultyFileSystem.close($0) } ?? SQLITE_MISUSE }
        methods.xRead = { file, buffer, count, offset in
            FaultyFileSystem.through(file, .read) { $1.xRead($0, buffer, count, offset) }
        }
        methods.xWrite = { file, buffer, count, offset in
            guard let file else { return SQLITE_MISUSE }
            return FaultyFileSystem.write(file, UnsafeRawBufferPointer(start: buffer, count: Int(count)), offset)
        }
        methods.xTruncate = { file, size in
            guard let file, case let (handle, inner, methods) = FaultyFileSystem.parts(file) else {
                return SQLITE_MISUSE
            }
            let verdict = handle.disk.truncate(handle.file, to: Int(size))
            return verdict == .proceed ? methods.xTruncate(inner, size) : SQLITE_IOERR
        }
        methods.xSync = { file, _ in
            guard let file, case let (handle, _, _) = FaultyFileSystem.parts(file) else { return SQLITE_MISUSE }
            // The account is what counts; syncing the real file would only take time.
            let verdict = handle.disk.sync(handle.file, withDirectory: handle.syncsDirectory)
            if verdict == .proceed { handle.syncsDirectory = false }
            return verdict == .proceed ? SQLITE_OK : SQLITE_IOERR
        }
        methods.xFileSize = { file, size in FaultyFileSystem.through(file) { $1.xFileSize($0, size) } }
        methods.xFileControl = { file, code, argument in
            FaultyFileSystem.through(file) { $1.xFileControl($0, code, argument) }
        }
        methods.xSectorSize = { file in FaultyFileSystem.always(file) { $1.xSectorSize($0) } }
        methods.xDeviceCharacteristics = { file in FaultyFileSystem.always(file) { $1.xDeviceCharacteristics($0) } }
    }

    /// Locks and shared memory.
    private static func addLocks(to methods: inout sqlite3_io_methods) {
        methods.xLock = { file, level in FaultyFileSystem.through(file) { $1.xLock($0, level) } }
        methods.xUnlock = { file, level in FaultyFileSystem.always(file) { $1.xUnlock($0, level) } }
        methods.xCheckReservedLock = { file, result in
            FaultyFileSystem.through(file) { $1.xCheckReservedLock($0, result) }
        }
        methods.xShmMap = { file, page, size, extend, memory in
            FaultyFileSystem.through(file) { $1.xShmMap($0, page, size, extend, memory) }
        }
        methods.xShmLock = { file, offset, count, flags in
            FaultyFileSystem.always(file) { $1.xShmLock($0, offset, count, flags) }
        }
        methods.xShmBarrier = { file in
            _ = FaultyFileSystem.always(file) {
                $1.xShmBarrier($0); return SQLITE_OK
            }
        }
        methods.xShmUnmap = { file, delete in FaultyFileSystem.always(file) { $1.xShmUnmap($0, delete) } }
    }

    /// Lets a call through to the system's own VFS while there is power, unless the operation is to fail.
    private static func through(
        _ file: File?,
        _ operation: Operation? = nil,
        _ call: (File, sqlite3_io_methods) -> Int32
    ) -> Int32 {
        guard let file, case let (handle, inner, methods) = parts(file) else { return SQLITE_MISUSE }
        let mayProceed = operation.map { handle.disk.judge($0) == .proceed } ?? handle.disk.hasPower
        return mayProceed ? call(inner, methods) : SQLITE_IOERR
    }

    /// Lets a call through, whatever happened: locks are memory, and have to be given back.
    private static func always(_ file: File?, _ call: (File, sqlite3_io_methods) -> Int32) -> Int32 {
        guard let file, case let (_, inner, methods) = parts(file) else { return SQLITE_MISUSE }
        return call(inner, methods)
    }

    /// `xWrite`: as much of it as fits, or a part where it fails.
    private static func write(_ file: File, _ buffer: UnsafeRawBufferPointer, _ offset: Int64) -> Int32 {
        let (handle, inner, methods) = parts(file)
        let (written, verdict) = handle.disk.write(Array(buffer), to: handle.file, at: Int(offset))
        guard verdict != .powerIsOff else { return SQLITE_IOERR }
        let code = methods.xWrite(inner, buffer.baseAddress, Int32(written), offset)
        guard code == SQLITE_OK, verdict == .proceed else { return SQLITE_IOERR }
        return written < buffer.count ? SQLITE_FULL : SQLITE_OK
    }

    /// `xClose`.
    private static func close(_ file: File) -> Int32 {
        let (_, inner, methods) = parts(file)
        let code = methods.xClose(inner)
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: OpenFile.self).pointee.handle.release()
        return code
    }
}
