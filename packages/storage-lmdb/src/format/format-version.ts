/** The version of data folders that this package writes; it reads no other (STORAGE_FORMAT_UNSUPPORTED). */
export const STORAGE_FORMAT_VERSION = 2;
