/** Version of this package, as its package.json has it. Not read from there: in a bundle there is none. */
export const VERSION = "0.1.0";
