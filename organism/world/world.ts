/** The text world: its domains, in a fixed order. */
import { cleaning } from './cleaning.ts';
import { cooking } from './cooking.ts';
import type { Domain } from './domain.ts';
import { driving } from './driving.ts';
import { electricity } from './electricity.ts';
import { gardening } from './gardening.ts';
import { health } from './health.ts';
import { money } from './money.ts';
import { pets } from './pets.ts';
import { swimming } from './swimming.ts';
import { travel } from './travel.ts';

export const domains: readonly Domain[] = [
  health,
  cooking,
  money,
  driving,
  gardening,
  electricity,
  swimming,
  cleaning,
  travel,
  pets,
];
