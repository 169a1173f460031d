/** The library's: package.json's, which programs that bundle the library do not have beside it. */
export const version = '0.1.0';
