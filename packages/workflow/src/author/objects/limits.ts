/** Bounds of objects. */

/** Records from which on an object continues as new, once no call is under way. */
export const LARGE_RECORDS = 1000;
/** The same for the characters of the states and inputs in its history. */
export const LARGE_CHARACTERS = 8 * 1024 * 1024;
/** So many times as large, an object accepts no call until those under way have ended, and continues as new then. */
export const TOO_LARGE = 4;
/** Calls that wait for their time. */
export const MAX_OBJECT_CALLS = 256;
