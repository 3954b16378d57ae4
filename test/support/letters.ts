/** A letter of Base64 that is not this one, to alter what is new in each run: any letter may stand there. */
export const anotherLetter = (letter: string): string => (letter === 'A' ? 'B' : 'A');
