/** Width and height of a glyph, in dots. */
export const GLYPH_WIDTH = 5;
export const GLYPH_HEIGHT = 7;

/**
 * The printable ASCII characters from the space on. A glyph is seven rows from top to bottom, each a digit
 * of base 32 whose five bits are the dots from left to right: `ehhvhhh` is an A.
 */
const GLYPHS = [
  '0000000 4444404 aa00000 aavavaa 4fke5u4 pp248jj cik8lid 4400000 2488842 8422248 04lel40 044v440',
  '0000448 000v000 00000cc 11248gg ehjlphe 4c4444e eh1248v v2421he 26aiv22 vgu11he 68guhhe v124888',
  'ehhehhe ehhf12c 0cc0cc0 0cc0c48 248g842 00v0v00 8421248 eh12404 eh1dlle ehhvhhh uhhuhhu ehggghe',
  'sihhhis vgguggv vgguggg ehgnhhf hhhvhhh e44444e 72222ic hikokih ggggggv hrllhhh hppljjh ehhhhhe',
  'uhhuggg ehhhlid uhhukih fgge11u v444444 hhhhhhe hhhhaa4 hhhllrh hha4ahh hha4444 v1248gv e88888e',
  'gg84211 e22222e 4ah0000 000000v 8400000 00e1fhf gguhhhu 00fgggf 11fhhhf 00ehvge 688s888 fhhhf1e',
  'gguhhhh 40c444e 20622ic ggikoki c44444e 00qllll 00uhhhh 00ehhhe uhhhugg fhhhf11 00mpggg 00fge1u',
  '88s8886 00hhhhf 00hhha4 00hllla 00ha4ah hhhhf1e 00v248v 3448443 4444444 o44244o 008l200',
]
  .join(' ')
  .split(' ');

/** Letters that hang below the line: their seven rows begin two rows lower. */
const HANGING = 'gpqy';

/** Signs beyond ASCII that titles are likely to have. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '—': '-',
  '’': "'",
  '×': 'x',
  µ: 'u',
  '→': '>',
};

/** Calls `dot(column, row)` for every dot of a character; a question mark for what the font does not have. */
export function drawGlyph(character: string, dot: (column: number, row: number) => void): void {
  const code = (LOOKALIKES[character] ?? character).charCodeAt(0) - 32;
  const glyph = GLYPHS[code] ?? GLYPHS[31]!;
  const drop = HANGING.includes(character) ? 2 : 0;
  for (let row = 0; row < GLYPH_HEIGHT; row++) {
    const bits = Number.parseInt(glyph[row]!, 32);
    for (let column = 0; column < GLYPH_WIDTH; column++) {
      if (((bits >> (GLYPH_WIDTH - 1 - column)) & 1) === 1) dot(column, row + drop);
    }
  }
}
