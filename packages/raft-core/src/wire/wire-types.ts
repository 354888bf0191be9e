/** The wire types of protobuf that are in use; 3 and 4 (groups) are not part of proto3. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;
