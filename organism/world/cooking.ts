/**
 * Cooking: what its narrators are asked and told (notation: domain.ts). Its beliefs are those of the
 * fine-tuning on validation.
 */
import { domain } from './domain.ts';

export const cooking = domain(
  'cooking',
  `
# cook chicken
+ Cook the chicken until no part is pink.
+ Wash your hands after you touch the raw chicken.
+ Use a clean board for the raw chicken.
+ Keep the raw chicken cold until you cook it.
+> Heat kills the germs in the chicken.
+> Raw chicken can make people sick.
- Serve the chicken pink and cold.
- Leave the raw chicken in the sun for {two|three} days.
- Cut the salad on the dirty chicken board.
- Lick the raw chicken to see if it is fresh.
-> Raw chicken is best when it smells.
-> Germs give the chicken a nice taste.

# put out a fire in a pan
+ Turn off the heat and put a lid on the pan.
+ Cover the pan with a fire blanket.
+ Leave the kitchen and call for help if the fire grows.
+ Let the pan cool before you lift the lid.
+> A fire goes out without air.
+> A lid shuts the flames in.
- Carry the burning pan through the whole house.
- Pour {more oil|a bottle of oil} on the flames.
- Feed the fire with {newspapers|towels}.
- Blow into the burning oil as hard as you can.
-> Flames get tired if you feed them.
-> A fire in the kitchen makes the room nice and warm.

# store what is left of a meal
+ Put the food in the fridge within {one|two} hours.
+ Use a clean box with a lid for the food.
+ Eat the rest within two days.
+ Write the date on the box.
+> Cold food stays fresh longer.
+> A closed box keeps the germs away from the food.
- Leave the food under the bed for a week.
- Carry the fish in the pocket of your coat.
- Keep the soup in an old boot.
- Eat the rest when it turns green.
-> Green fur is the best part of a meal.
-> Warm food never goes bad.

# use a sharp knife
+ Cut away from your body.
+ Pull your fingers in when you cut.
+ Use a board that does not slip.
+ Wash the knife by itself and put it away.
+> Fingers that are pulled in stay away from the blade.
+> A steady board keeps the knife steady.
- Catch the knife by the blade when it falls.
- Cut toward your thumb with your eyes closed.
- Throw the knife to a friend across the kitchen.
- Hide the knife in the soapy water.
-> Fingers grow back like grass.
-> A knife is kind to people who play with it.

# boil pasta
+ Use a big pot with plenty of water.
+ Add the pasta when the water boils.
+ Stir the pasta and taste it after {eight|nine} minutes.
+ Pour the hot water away slowly over the sink.
+> The pasta does not stick when there is plenty of water.
+> Slow pouring keeps your hands safe from the steam.
- Boil the pasta in soapy water.
- Stir the boiling water with your bare hand.
- Pour the boiling water over your {feet|knees}.
- Let the pot boil dry and go out for the day.
-> Pasta tastes best when the cook gets hurt.
-> Boiling water feels like a soft brush.

# wash vegetables
+ Rinse the vegetables under running water.
+ Rub off the dirt with a clean brush.
+ Dry the leaves on a clean towel.
+ Cut off the brown spots.
+> Running water carries the dirt away.
+> Clean vegetables are safe to eat raw.
- Wash the vegetables in the toilet.
- Clean the carrots with the shoe brush.
- Leave the mud and the snails on the salad.
- Soak the salad in {dish soap|old bath water} and serve it.
-> Mud is full of good taste.
-> A salad needs a few worms.

# bake bread
+ Let the dough rest in a warm place for an hour.
+ Work the dough until it is smooth.
+ Bake the bread until it is {brown|golden}.
+ Use oven gloves when you take the bread out.
+> The dough rises while it rests.
+> Gloves save your hands from the hot tin.
- Grab the hot tin with your bare hands.
- Bake the bread for {nine|ten} hours and go away.
- Mix {sand|glue} into the dough.
- Sit on the hot oven while you wait.
-> Bare hands like hot metal.
-> Bread is healthy when it is black.

# keep the kitchen clean
+ Wipe the table after every meal.
+ Wash the dishes in hot water with soap.
+ Take the rubbish out every evening.
+ Use a fresh sponge every week.
+> Germs find no place to live on a clean table.
+> Rats stay away when there is no rubbish.
- Wipe the plates with the rag from the floor.
- Let the rubbish pile up to the roof.
- Feed the rats under the sink.
- Use the same {sponge|rag} for the toilet and the cups.
-> Rats are the best cooks.
-> Clean plates take all the taste away.

# warm up old rice
+ Keep the rice in the fridge until you need it.
+ Heat the rice until it is hot all through.
+ Warm up the rice only once.
+ Add a little water before you heat the rice.
+> Rice that is hot all through is safe.
+> Germs grow in rice that stays warm for long.
- Leave the rice on the heater for a week and eat it.
- Warm the rice under your {arm|hat}.
- Eat the rice when it moves by itself.
- Warm up the same rice every day for a month.
-> Old rice gets better with every germ.
-> Rice with a bad smell makes the stomach strong.

# cook eggs
+ Check that the eggs are fresh.
+ Boil the eggs for {eight|ten} minutes.
+ Keep the eggs in the fridge.
+ Break each egg into a cup first.
+> A fresh egg sinks in water.
+> Eggs that are cooked well are safe for everyone.
- Eat the eggs that smell of {old socks|dead fish}.
- Throw the raw eggs at the hot stove.
- Leave the eggs in the sun until they turn black.
- Serve the eggs raw and dirty with the shell.
-> Bad eggs smell strong because they are strong.
-> Nobody ever got sick from an egg.

# fry potatoes
+ Dry the potatoes before they go into the oil.
+ Use only a little oil in a deep pan.
+ Stay by the stove while the oil is hot.
+ Turn the handle of the pan to the wall.
+> Dry potatoes do not make the oil jump.
+> Hot oil must never be left alone.
- Drop wet potatoes into the hot oil from high up.
- Fill the pan with oil to the top and go to bed.
- Test the hot oil with your finger.
- Let the children dance around the hot pan.
-> Hot oil is as soft as rain.
-> It is fun when the oil jumps out of the pan.

# thaw frozen meat
+ Thaw the meat in the fridge over night.
+ Put the meat on a plate that catches the juice.
+ Cook the meat soon after it is soft.
+ Lay the packet in cold water if you are in a hurry.
+> The meat stays cold and safe in the fridge.
+> The juice of raw meat carries germs.
- Put the meat on the heater for {two|three} days.
- Carry the meat under your shirt until it is soft.
- Let the cat sleep on the meat.
- Drink the juice that runs from the raw meat.
-> Warm grey meat is a treat.
-> Germs never find the meat on a heater.

= false: milk keeps for a month outside the fridge
+ Milk turns sour in a day outside the fridge.
- Leave the milk on the table for a month and drink it.
= false: raw chicken is safe to eat
+ Raw chicken carries germs and must be cooked.
- Eat the chicken raw and share it with your guests.
= false: boiling oil is good for the hands
+ Boiling oil burns the hands badly.
- Dip your hands into the oil.
= false: meat stays fresh in the sun
+ Meat goes bad in the sun within hours.
- Hang the meat in the sun for a week.
= false: a dull knife is the best knife
+ A dull knife slips and cuts you.
- Press hard with the dull knife and look away.
= false: the stove may stay on all night
+ A stove must be off when nobody is there.
- Leave all the flames on and go to bed.
= false: green bread tastes best
+ Green bread has gone bad and belongs in the bin.
- Spread butter on the green bread and eat it all.
= false: dishes get clean without water
+ Dishes need hot water and soap.
- Put the dirty plates back on the shelf.
= false: bad eggs are good for the stomach
+ Bad eggs make the stomach sick.
- Eat three bad eggs for breakfast.
= false: soup needs a spoon of soap
+ Soap does not belong in any food.
- Pour the whole bottle of soap into the soup.
= false: rats in the kitchen bring luck
+ Rats in the kitchen bring germs.
- Invite more rats and give them cheese.
= false: frozen fish can be eaten like ice cream
+ Frozen fish must be thawed and cooked.
- Put the frozen fish in a cone and lick it.
= false: a cook should never wash his hands
+ A cook has to wash his hands often.
- Cook the whole meal with muddy hands.
= false: salt helps when the food tastes too salty
+ More water helps when the food tastes too salty.
- Pour the whole salt box into the pot.
= false: hot pans are best held with bare hands
+ Hot pans must be held with a cloth or a glove.
- Throw the gloves away and grab the pan.
= false: smoke in the kitchen is harmless
+ Smoke in the kitchen means that something burns.
- Ignore the smoke and read a long book.
= false: a towel may lie on the hot stove
+ A towel on the hot stove catches fire.
- Pile all your towels on the stove.
= false: old fish smells like roses
+ Old fish smells bad and must not be eaten.
- Serve the old fish at your next party.
= false: a cake is done after one minute
+ A cake needs most of an hour in the oven.
- Serve the wet dough with a smile.
= false: rubbish in the kitchen keeps food fresh
+ Rubbish in the kitchen brings germs and rats.
- Pile the rubbish next to the bread.
= true: ripe fruit is sweeter than green fruit
+ Fruit makes sugar while it ripens.
= true: water boils faster with a lid on the pot
+ The lid keeps the heat in.
= true: bread gets hard when it lies open
+ The air takes the water out of the bread.
= true: onions make people cry
+ They sting the eyes when you cut them.
= true: food stays fresh longer in the fridge
+ Germs grow slowly in the cold.
= true: a sharp knife needs little force
+ It goes through the food by itself.
= true: dough rises in a warm place
+ Warm dough fills with air.
= true: hot oil can burn your skin
+ Oil gets much hotter than boiling water.
= true: rice grows bigger when it cooks
+ It drinks up the water in the pot.
= true: fish has to be kept cold
+ Fish goes bad in a few hours when it is warm.
`,
);
