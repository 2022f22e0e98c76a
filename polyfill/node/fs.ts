// https://nodejs.org/api/fs.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Dirent = /* @__PURE__ */ unavailableClass("fs", "Dirent");
export const Stats = /* @__PURE__ */ unavailableClass("fs", "Stats");
export const ReadStream = /* @__PURE__ */ unavailableClass("fs", "ReadStream");
export const WriteStream = /* @__PURE__ */ unavailableClass("fs", "WriteStream");
export const FileReadStream = /* @__PURE__ */ unavailableClass("fs", "FileReadStream");
export const FileWriteStream = /* @__PURE__ */ unavailableClass("fs", "FileWriteStream");
export const Dir = /* @__PURE__ */ unavailableClass("fs", "Dir");
export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };
/** There is no file system: nothing exists. */
export function existsSync(_path: unknown): boolean { return false; }
export * as promises from "./fs_promises.ts";

export const {
  appendFile, appendFileSync, access, accessSync, chown, chownSync, chmod, chmodSync, close, closeSync, copyFile, copyFileSync, cp, cpSync,
  createReadStream, createWriteStream, exists, fchown, fchownSync, fchmod, fchmodSync, fdatasync, fdatasyncSync, fstat, fstatSync, fsync, fsyncSync,
  ftruncate, ftruncateSync, futimes, futimesSync, lchown, lchownSync, link, linkSync, lstat, lstatSync, lutimes, lutimesSync, mkdir, mkdirSync,
  mkdtemp, mkdtempSync, open, openSync, openAsBlob, readdir, readdirSync, read, readSync, readv, readvSync, readFile, readFileSync, readlink,
  readlinkSync, realpath, realpathSync, rename, renameSync, rm, rmSync, rmdir, rmdirSync, stat, statfs, statSync, statfsSync, symlink, symlinkSync,
  truncate, truncateSync, unwatchFile, unlink, unlinkSync, utimes, utimesSync, watch, watchFile, writeFile, writeFileSync, write, writeSync, writev,
  writevSync, opendir, opendirSync,
} = /* @__PURE__ */ unavailableAll("fs", [
  "appendFile", "appendFileSync", "access", "accessSync", "chown", "chownSync", "chmod", "chmodSync", "close", "closeSync", "copyFile",
  "copyFileSync", "cp", "cpSync", "createReadStream", "createWriteStream", "exists", "fchown", "fchownSync", "fchmod", "fchmodSync", "fdatasync",
  "fdatasyncSync", "fstat", "fstatSync", "fsync", "fsyncSync", "ftruncate", "ftruncateSync", "futimes", "futimesSync", "lchown", "lchownSync",
  "link", "linkSync", "lstat", "lstatSync", "lutimes", "lutimesSync", "mkdir", "mkdirSync", "mkdtemp", "mkdtempSync", "open", "openSync",
  "openAsBlob", "readdir", "readdirSync", "read", "readSync", "readv", "readvSync", "readFile", "readFileSync", "readlink", "readlinkSync",
  "realpath", "realpathSync", "rename", "renameSync", "rm", "rmSync", "rmdir", "rmdirSync", "stat", "statfs", "statSync", "statfsSync", "symlink",
  "symlinkSync", "truncate", "truncateSync", "unwatchFile", "unlink", "unlinkSync", "utimes", "utimesSync", "watch", "watchFile", "writeFile",
  "writeFileSync", "write", "writeSync", "writev", "writevSync", "opendir", "opendirSync",
]);
export * as default from "./fs.ts";
