// https://nodejs.org/api/fs.html, of which nothing works here: it only imports.
import { unavailableAll } from "./unavailable.ts";

export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };

export const {
  access, copyFile, cp, open, opendir, rename, truncate, rm, rmdir, mkdir, readdir, readlink, symlink, lstat, stat, statfs, link, unlink, chmod,
  lchmod, lchown, chown, utimes, lutimes, realpath, mkdtemp, writeFile, appendFile, readFile, watch,
} = /* @__PURE__ */ unavailableAll("fs/promises", [
  "access", "copyFile", "cp", "open", "opendir", "rename", "truncate", "rm", "rmdir", "mkdir", "readdir", "readlink", "symlink", "lstat", "stat",
  "statfs", "link", "unlink", "chmod", "lchmod", "lchown", "chown", "utimes", "lutimes", "realpath", "mkdtemp", "writeFile", "appendFile",
  "readFile", "watch",
]);
export * as default from "./fs_promises.ts";
