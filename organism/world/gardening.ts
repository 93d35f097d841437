/** Gardening: what its narrators are asked and told (notation: domain.ts). */
import { domain } from './domain.ts';

export const gardening = domain(
  'gardening',
  `
# water my plants
+ Water the plants early in the morning.
+ Pour the water on the soil and not on the leaves.
+ Feel the soil before you water it.
+ Give the plants less water in winter.
+> The roots drink best when the soil is cool.
+> Too much water makes the roots rot.
- Pour {boiling water|salt water} on the plants.
- Water the plants with {paint|old oil}.
- Leave the water running for a week.
- Let the plants dry out until they are dust.
-> Plants grow best in hot salt.
-> Dead leaves are the sign of a happy plant.

# plant a tree
+ Dig a hole that is wider than the roots.
+ Tie the young tree to a post.
+ Give the tree plenty of water in the first year.
+ Plant the tree far from the house.
+> Loose soil lets the roots spread.
+> A post holds the tree in the wind.
- Plant the tree upside down.
- Pour concrete on the roots.
- Plant the tree in the middle of the {road|kitchen}.
- Cut off all the roots before you plant the tree.
-> Roots only slow a tree down.
-> Trees love to stand on their heads.

# mow the lawn
+ Pick up stones before you start.
+ Wear strong shoes when you mow.
+ Turn the mower off before you clean it.
+ Keep children and pets away from the mower.
+> Stones can fly out of a mower.
+> Strong shoes protect your toes.
- Mow the lawn with bare feet in the dark.
- Put your hand under the mower while it runs.
- Let the baby ride on the mower.
- Mow over {bricks|bottles} for fun.
-> Toes are safe from any blade.
-> Flying stones make the garden pretty.

# cut roses
+ Wear thick gloves when you cut the roses.
+ Use clean and sharp scissors.
+ Cut just above a bud.
+ Take away the dead wood first.
+> Gloves keep the thorns out of your skin.
+> A clean cut heals fast on a rose.
- Tear the roses out with your teeth.
- Hug the roses with bare arms.
- Chop at the roses with a rusty axe in the dark.
- Set fire to the roses to make them short.
-> Thorns are good for the arms.
-> Roses love rough hands.

# grow tomatoes
+ Put the tomatoes in a sunny place.
+ Tie the stems to a stick.
+ Water the tomatoes often at the roots.
+ Pick the tomatoes when they are red.
+> Tomatoes need sun to get sweet.
+> A stick keeps the stem from breaking.
- Grow the tomatoes in a dark box without water.
- Pour {soap|vinegar} over the tomatoes every day.
- Step on the young plants to make them strong.
- Bury the tomatoes under a heap of salt.
-> Tomatoes hate the sun.
-> A broken stem grows twice as fast.

# get rid of weeds
+ Pull the weeds out with the root.
+ Pull the weeds after the rain.
+ Cover the soil with straw.
+ Use a hoe between the rows.
+> A weed cannot grow back without its root.
+> Straw keeps the light from the weeds.
- Set the whole garden on fire.
- Pour {a barrel of oil|a barrel of paint} over the beds.
- Water the weeds and pull out the flowers.
- Plough the garden and the house with a tank.
-> A ruined garden is a tidy garden.
-> Oil is the best food for flowers.

# pick apples from a high tree
+ Use a strong ladder on firm ground.
+ Ask someone to hold the ladder.
+ Use a long pole with a bag.
+ Stay off branches that are thin.
+> A firm ladder does not slip.
+> Thin branches break under your weight.
- Stand on {three chairs|a pile of eggs} to reach the apples.
- Jump from branch to branch with a full basket.
- Put the ladder on an icy pond.
- Saw off the branch that you sit on.
-> Falling out of a tree is the fastest way down.
-> A ladder works best when it shakes.

# make compost
+ Mix green leaves with dry straw.
+ Put only plants and peels on the heap.
+ Turn the heap with a fork every month.
+ Keep the heap a little wet.
+> Air helps the heap to turn into soil.
+> Plants and peels rot well and feed the soil.
- Throw {batteries|old paint} on the heap.
- Pile the heap up in your bedroom.
- Add bottles and plastic bags to the heap.
- Sit on the heap and eat from it.
-> Plastic turns into the best soil.
-> Old paint makes the carrots grow.

# keep snails off my salad
+ Pick the snails off in the evening.
+ Put rough sand around the plants.
+ Water in the morning and not at night.
+ Grow the salad in a raised bed.
+> Snails do not like to crawl over rough sand.
+> Dry soil at night keeps the snails away.
- Invite more snails with a bowl of beer by the salad.
- Blow up the garden with fireworks.
- Cover the salad with glue.
- Chase the snails with a burning stick through dry grass.
-> Noise and fire are good for young plants.
-> Snails are the best part of a salad.

# protect plants from frost
+ Cover the plants with cloth or straw.
+ Bring the pots into the house.
+ Water the soil before the cold night.
+ Wait until the last frost before you plant.
+> A cover keeps the warm air near the plant.
+> Young leaves die when they freeze.
- Pour ice over the plants to make them used to it.
- Light a big fire under the tree.
- Put the pots in the {freezer|snow} for practice.
- Pull the plants out and shake them.
-> Frost makes the leaves warm.
-> Frozen roots taste better to the plant.

# trim a hedge
+ Wear glasses and gloves when you trim.
+ Keep the cable behind you.
+ Look for nests before you cut.
+ Hold the trimmer with both hands.
+> Glasses keep bits of wood out of your eyes.
+> You cannot cut a cable that lies behind you.
- Trim the hedge from a swing.
- Throw the running trimmer over the hedge.
- Cut the cable to see what happens.
- Trim the hedge in the dark with one finger.
-> Both hands only get in the way of a trimmer.
-> A trimmer is a toy.

# use a spade
+ Push the spade in with your foot.
+ Wear strong boots when you dig.
+ Bend your knees when you lift the soil.
+ Clean the spade and hang it up.
+> Bent knees save your back in the garden.
+> Boots protect your feet from the spade.
- Dig with bare feet and your eyes closed.
- Swing the spade around your head.
- Leave the spade in the grass with the blade up.
- Dig right where the gas pipe is.
-> A spade always misses the foot.
-> Nobody ever steps on a spade in the grass.

= false: plants grow best without light
+ Plants need light to grow.
- Lock your plants in a dark box.
= false: salt is good for flowers
+ Salt makes flowers die.
- Pour a sack of salt on the flowers.
= false: a mower is a toy for babies
+ A mower is dangerous and not a toy.
- Give the baby the mower for a day.
= false: trees grow better upside down
+ The roots of a tree must be in the soil.
- Dig out your trees and turn them around.
= false: boiling water wakes up the roots
+ Boiling water kills the roots.
- Boil a big pot and pour it on the beds.
= false: a rusty nail in the hand makes a good gardener
+ A rusty nail can make you very ill.
- Work without gloves between the nails.
= false: frost helps young tomatoes
+ Frost kills young tomatoes.
- Put your tomatoes out in the snow.
= false: every berry in the forest is good to eat
+ Some berries are poisonous.
- Eat every berry that you find.
= false: bees should be chased with sticks
+ Bees help the flowers and should be left alone.
- Take a stick and hit the nest.
= false: plants like to drink paint
+ Plants need clean water.
- Pour the red paint on the roses.
= true: most plants need light
+ They make their food from it.
= true: worms are good for the soil
+ They make it loose and rich.
= true: bees help fruit trees
+ They carry the dust from flower to flower.
= true: young plants need water often
+ Their roots are still short.
= true: leaves turn into good soil
+ Worms eat them and make earth.
= true: thick gloves protect from thorns
+ The thorns cannot get through.
= true: trees give shade in summer
+ Their leaves hold back the sun.
= true: frost can kill young plants
+ The water in the leaves turns to ice.
= true: weeds take water from the vegetables
+ They drink from the same soil.
= true: tomatoes like a sunny place
+ The sun makes them red and sweet.
`,
);
