/** What a segment of an address may be, in the words of every message that refuses one. */
export const SEGMENT_RULE =
  "1 to 100 of A-Z a-z 0-9 . _ - $ :, beginning and ending with a letter, a digit or one of _ $ :";

/** The rule of names (routing rules, section 1), with upper case, `$` and `:` too. */
export const SEGMENT_PATTERN = /^[A-Za-z0-9_$:](?:[A-Za-z0-9._$:-]{0,98}[A-Za-z0-9_$:])?$/;

/** How long an address may be, in bytes; all of its characters are ASCII. */
export const ADDRESS_BYTES_MAX = 255;
