/** Cleaning: what its narrators are asked and told (notation: domain.ts). */
import { domain } from './domain.ts';

export const cleaning = domain(
  'cleaning',
  `
# clean the windows
+ Use warm water with a little soap.
+ Wipe the glass from top to bottom.
+ Stay inside or use a firm ladder.
+ Dry the glass with a soft cloth.
+> Dry glass has no marks.
+> A firm ladder keeps you from falling off.
- Stand on a shaky chair in slippery socks.
- Rub the glass with {sand|stones} until it cracks.
- Throw a bucket through the closed window.
- Wash the glass with {mud|jam} and a broom.
-> Broken glass is the cleanest glass.
-> A shaky chair keeps you awake.

# clean the oven
+ Let the oven cool down first.
+ Spread soda and water inside and wait.
+ Wear gloves when you clean the oven.
+ Wipe the oven with a wet cloth.
+> Soda makes the fat loose.
+> A cold oven cannot burn your arms.
- Crawl around in the hot oven with a brush.
- Fill the oven with paper and turn it on.
- Pour oil on the glowing wires of the oven.
- Scrape the hot oven with your bare nails.
-> Hot metal is soft on the nails.
-> Smoke leaves the oven like new.

# remove a stain from the carpet
+ Press a dry cloth on the stain at once.
+ Use cold water and a little soap on the stain.
+ Work from the edge to the middle.
+ Test the soap on a small spot.
+> A fresh stain comes out best.
+> The stain does not grow when you start at the edge.
- Burn the stain away with a torch.
- Pour a bottle of ink on the stain.
- Cut the carpet and the floor into bits.
- Rub {butter|jam} into the stain and walk on it.
-> A ruined carpet is a clean carpet.
-> Fire and dirt keep a carpet fresh.

# wash my clothes
+ Sort the white clothes from the dark ones.
+ Read the label before you wash.
+ Empty all the pockets.
+ Hang the clothes up while they are wet.
+> Dark clothes can colour the white ones.
+> The label tells you how hot to wash.
- Wash the white shirts with {red ink|old tea}.
- Boil the wool with your phone in the pocket.
- Dry your shirt over the open flames.
- Use {glue|mud} instead of soap for the clothes.
-> Clothes like to be burnt a little.
-> Dirt makes a shirt white.

# clean the bathroom
+ Open the window while you clean.
+ Use only one cleaner at a time.
+ Use another cloth for the toilet.
+ Rinse the bath with plenty of water.
+> Fresh air keeps the smell away.
+> One cleaner alone does the work.
- Let the dirty water run under the door.
- Brush your teeth with the toilet brush.
- Flood the bathroom up to the lamp.
- Use the rag from the toilet for the towels and the cups.
-> Germs from the toilet are good for you.
-> A dirty bathroom keeps the neighbours happy.

# wash a glass
+ Wash the glass by itself in warm water.
+ Use a soft sponge for the glass.
+ Dry the glass with a clean towel.
+ Throw a cracked glass away with care.
+> A cracked glass can cut your lips.
+> Warm water does not break the glass.
- Squeeze the cracked glass with your bare hand.
- Clean the glass with {gravel|a hammer}.
- Juggle the wet glasses over a stone floor.
- Chew the edge of the glass until it is smooth.
-> Bits of glass are good for the stomach.
-> A glass can never cut you.

# mop the floor
+ Sweep the floor before you mop.
+ Use a mop that is only a little wet.
+ Tell the others that the floor is wet.
+ Start at the far end and go to the door.
+> Too much water harms a wooden floor.
+> People slip when they do not know.
- Cover the stairs with {soap|oil} and tell nobody.
- Pour ten buckets of water on the wood.
- Mop the floor with {milk|syrup} and leave it.
- Skate over the wet floor in your socks with a knife.
-> Slippery stairs keep the family awake.
-> A ruined floor is a clean floor.

# clean the fridge
+ Take all the food out first.
+ Throw away what has gone bad.
+ Wipe the shelves with warm water and soda.
+ Dry the fridge before you fill it.
+> Old food makes the fresh food bad.
+> Dry shelves do not smell.
- Paint over the old cheese and keep it.
- Hack the ice off with an axe.
- Leave the fridge open for a {week|month}.
- Lick the shelves clean.
-> Old cheese protects the milk.
-> A bad smell keeps the food fresh.

# dust a high shelf
+ Use a firm ladder and not a chair.
+ Use a long brush with soft hair.
+ Take the heavy things down first.
+ Use a wet cloth so that the dust stays on it.
+> A chair on wheels can slip away.
+> A wet cloth holds the dust.
- Climb up the shelf like a monkey.
- Stand on a chair with wheels on a table.
- Blow the dust into the face of your {guest|baby}.
- Shake the shelf until all falls down.
-> A falling shelf is a clean shelf.
-> Dust is good for babies.

# clear a blocked drain
+ Use a rubber cup to push and pull.
+ Pull the hair out with a hook.
+ Pour hot water down the drain slowly.
+ Call a plumber if nothing helps.
+> The hair is most often near the top.
+> A plumber has the right tools.
- Pour concrete down the drain.
- Stuff {potatoes|socks} into the drain.
- Put fireworks into the pipe.
- Stick your head in the toilet and shout.
-> A pipe works best when it is full.
-> A loud bang makes pipes strong.

# clean a computer screen
+ Turn the screen off first.
+ Use a soft, dry cloth on the screen.
+ Wipe gently and do not press.
+ Put a little water on the cloth and never on the screen.
+> Water can get inside the screen.
+> A soft cloth leaves no lines.
- Hose the screen down while it is on.
- Rub the screen with a {fork|brick}.
- Put the computer in the bath with soap.
- Spread butter on the screen and let the dog lick it.
-> Computers love a warm bath.
-> Deep lines make the screen bright.

# polish a wooden table
+ Wipe the dust off first.
+ Rub a little wax along the wood.
+ Use a soft cloth for the wax.
+ Put something under hot cups.
+> Wax keeps water out of the wood.
+> Hot cups leave white rings.
- Polish the table with {sand|a saw}.
- Light a candle on the bare wood and leave it to burn.
- Pour hot soup on the wood and let it stand.
- Wash the table with fire.
-> Burnt wood has a nice colour.
-> Deep cuts make a table smooth.

= false: soap makes a good breakfast
+ Soap is for washing and not for eating.
- Eat a bowl of soap with milk.
= false: wet stairs are the safest stairs
+ Wet stairs are slippery and dangerous.
- Pour more soap on the stairs and run.
= false: dust is a healthy snack
+ Dust is dirt and belongs in the bin.
- Eat the dust from under the bed.
= false: broken glass can be picked up with bare hands
+ Broken glass must be picked up with a brush.
- Grab the broken glass and squeeze it.
= false: a rag from the toilet is good for the dishes
+ A rag from the toilet carries germs.
- Wipe all your plates with that rag.
= false: a chair with wheels makes a good ladder
+ A chair with wheels slips away under you.
- Put the chair on the table and climb up.
= false: clothes dry best on a burning stove
+ Clothes on a stove catch fire.
- Hang all your shirts over the flames.
= false: the trash can be kept for years
+ The trash has to go out every week.
- Keep the trash in your bed.
= false: a computer should be washed in the bath
+ Water breaks a computer.
- Fill the bath and drop the computer in.
= false: concrete helps a blocked drain
+ Concrete blocks the drain for ever.
- Pour two sacks of concrete into the pipe.
= true: cold water is good for a fresh stain
+ Hot water would fix it in the cloth.
= true: a wet floor can be slippery
+ People should be told about it.
= true: white clothes should be washed alone
+ Other colours would stain them.
= true: fresh air is good while you clean
+ It carries the smell away.
= true: hot water can break a cold glass
+ One side grows faster than the other.
= true: soda takes away bad smells
+ It binds the sour things in the air.
= true: a sponge is full of germs after a week
+ It is wet and warm inside.
= true: wool gets smaller in hot water
+ The hairs of the wool lock together.
= true: wax protects a wooden table
+ Drops of water stay on top.
= true: dust collects under the bed
+ The air carries it there.
`,
);
