// The wire types of proto3. Types 3 and 4 (groups) are not part of it.

/** Wire type of integers and bools. */
export const VARINT = 0;
/** Wire type of eight bytes. */
export const FIXED64 = 1;
/** Wire type of strings, bytes, submessages and packed lists. */
export const LENGTH_DELIMITED = 2;
/** Wire type of four bytes. */
export const FIXED32 = 5;
