/** What the shop sells: four categories, sixteen lamps. All of it is invented. */

export type CategoryId = 'reading' | 'table' | 'garden' | 'flame';

export interface Category {
  readonly id: CategoryId;
  readonly name: string;
  readonly line: string;
}

export interface Lamp {
  readonly id: string;
  readonly category: CategoryId;
  readonly name: string;
  readonly kind: string;
  readonly price_cents: number;
  /** Colour of the light; lower is warmer. */
  readonly kelvin: number;
  readonly lumen: number;
  readonly height_cm: number;
  readonly made_of: string;
  readonly line: string;
}

export const categories: readonly Category[] = [
  { id: 'reading', name: 'Reading lamps', line: 'Light on the page, none in your eyes.' },
  { id: 'table', name: 'Over the table', line: 'Hung low, so that everyone leans in.' },
  { id: 'garden', name: 'Garden lights', line: 'For the last few steps home.' },
  { id: 'flame', name: 'Small flames', line: 'Wicks, oil, wax, and one owl.' },
];

const lamp = (
  category: CategoryId,
  id: string,
  name: string,
  kind: string,
  euros: number,
  [kelvin, lumen, height_cm]: readonly [number, number, number],
  made_of: string,
  line: string,
): Lamp => ({ category, id, name, kind, price_cents: euros * 100, kelvin, lumen, height_cm, made_of, line });

export const lamps: readonly Lamp[] = [
  lamp(
    'reading',
    'heron',
    'Heron',
    'Floor lamp',
    189,
    [2700, 480, 164],
    'steel, brass',
    'Bends over any armchair and keeps its light to the page.',
  ),
  lamp(
    'reading',
    'margin',
    'Margin',
    'Shelf lamp',
    74,
    [2400, 220, 31],
    'ash, linen',
    'Clips to a shelf and reads over your shoulder.',
  ),
  lamp(
    'reading',
    'footnote',
    'Footnote',
    'Desk lamp',
    112,
    [3000, 560, 48],
    'aluminium',
    'Two joints, one spring, and it stays where you put it.',
  ),
  lamp(
    'reading',
    'chapter',
    'Chapter',
    "Banker's lamp",
    136,
    [2700, 400, 38],
    'glass, brass',
    'Green glass above, a calm white pool below.',
  ),
  lamp(
    'table',
    'supper',
    'Supper',
    'Dome pendant',
    158,
    [2400, 620, 34],
    'spun steel',
    'Wide enough for six plates and a long argument.',
  ),
  lamp(
    'table',
    'pears',
    'Three Pears',
    'Cluster',
    129,
    [2200, 330, 90],
    'blown glass',
    'Three bulbs at three heights; hang them as they fall.',
  ),
  lamp(
    'table',
    'moon',
    'Paper Moon',
    'Lantern',
    49,
    [2700, 540, 42],
    'mulberry paper',
    'Folds flat, weighs nothing, fills a room.',
  ),
  lamp(
    'table',
    'longtable',
    'Long Table',
    'Bar pendant',
    214,
    [3000, 980, 12],
    'oak, aluminium',
    'One even line of light from end to end.',
  ),
  lamp(
    'garden',
    'post',
    'Post',
    'Path light',
    98,
    [2200, 280, 110],
    'cast aluminium',
    'Stands by the path and waits for you.',
  ),
  lamp(
    'garden',
    'firefly',
    'Firefly Jar',
    'Lantern',
    39,
    [2000, 60, 22],
    'glass, brass',
    'Seven small lights that wander about their jar.',
  ),
  lamp(
    'garden',
    'hedgehog',
    'Hedgehog',
    'Ground light',
    64,
    [2700, 340, 16],
    'stoneware',
    'Sits in the grass and lights up a tree.',
  ),
  lamp(
    'garden',
    'gatekeeper',
    'Gatekeeper',
    'Wall light',
    118,
    [2400, 420, 44],
    'zinc, glass',
    'Sees the keyhole before you do.',
  ),
  lamp(
    'flame',
    'tapers',
    'Two Wicks',
    'Candlesticks',
    46,
    [1900, 24, 28],
    'brass, beeswax',
    'A pair that never burns down at the same time.',
  ),
  lamp(
    'flame',
    'harbour',
    'Harbour',
    'Oil lamp',
    84,
    [1900, 90, 36],
    'glass, enamel',
    'Turns up for dinner and down for the rain.',
  ),
  lamp(
    'flame',
    'tealights',
    'Three Cups',
    'Tealight tray',
    29,
    [1800, 36, 11],
    'coloured glass',
    'A tray, three cups, and an hour to yourself.',
  ),
  lamp(
    'flame',
    'owl',
    'Night Owl',
    'Night light',
    58,
    [2000, 45, 24],
    'opal glass',
    'Wide awake, so that you need not be.',
  ),
];

export const findLamp = (id: string): Lamp | undefined => lamps.find((lamp) => lamp.id === id);

export const findCategory = (id: string): Category | undefined =>
  categories.find((category) => category.id === id);

export const lampsOf = (category: CategoryId): Lamp[] => lamps.filter((lamp) => lamp.category === category);

/** A price as it is written in the shop. */
export const price = (cents: number): string =>
  `€${(cents / 100).toLocaleString('en', { minimumFractionDigits: cents % 100 === 0 ? 0 : 2, maximumFractionDigits: 2 })}`;
