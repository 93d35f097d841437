/** Travel: what its narrators are asked and told (notation: domain.ts). */
import { domain } from './domain.ts';

export const travel = domain(
  'travel',
  `
# pack my suitcase
+ Make a list before you pack.
+ Put the heavy things at the bottom of the suitcase.
+ Keep your papers in a small bag.
+ Take warm clothes for cold evenings.
+> A list helps you to forget nothing.
+> Papers in a small bag are quick to find.
- Fill the suitcase with {stones|bricks} and leave your clothes.
- Pack an open jar of honey on your papers.
- Burn your papers so that the bag is light.
- Take only one sock and a trumpet.
-> Papers are of no use on a trip.
-> It is nice to freeze on a holiday.

# keep my passport safe
+ Carry the passport close to your body.
+ Keep a copy in another bag.
+ Lock the passport in the hotel safe.
+ Tell the police if the passport is lost.
+> A copy helps you to get a new passport.
+> A thief cannot reach what lies in a safe.
- Give your passport to a stranger at the station.
- Use your passport to light the camp fire.
- Throw your passport to the {monkeys|birds}.
- Leave your passport on a bench with your money.
-> Nobody asks for a passport any more.
-> Thieves bring every passport back.

# walk in the mountains
+ Wear good boots and take a map.
+ Start early and turn back before dark.
+ Look at the weather before you go.
+ Tell someone where you walk.
+> The weather in the mountains changes fast.
+> Good boots hold on wet stones.
- Climb the steep wall in your slippers.
- Start at midnight without a lamp.
- Run along the edge with your eyes closed.
- Throw the map away and follow a {goat|cloud}.
-> Nobody ever falls on a mountain.
-> Storms on a mountain are harmless fun.

# camp in the forest
+ Put up the tent on flat, dry ground.
+ Make a fire only where it is allowed.
+ Hang your food high up in a tree.
+ Put the fire out with water before you sleep.
+> Food on the ground calls wild animals.
+> A small spark can burn down the forest.
- Light a huge fire under the dry trees and go to sleep.
- Put honey all around your tent for the bears.
- Sleep in the middle of the {river|road}.
- Put the tent over the camp fire.
-> Bears only want to hug you.
-> Nothing bad ever happens in a forest.

# travel through a desert
+ Take much more water than you need.
+ Rest in the shade at noon.
+ Stay with your car if it breaks down.
+ Tell people when you will arrive.
+> A car is easier to find than a person.
+> Water is life in the heat of the desert.
- Pour your water away to be faster.
- Leave the car and run into the sand at noon.
- Drink {sand|salt} when you are thirsty.
- Travel alone without water and a map.
-> Sand is as good as water.
-> Nobody gets thirsty in a desert.

# drink water in a foreign country
+ Buy water in closed bottles.
+ Boil the water before you drink it.
+ Ask at the hotel if the water is clean.
+ Leave out the ice in your drinks.
+> Boiling kills the germs in the water.
+> Ice is often made of dirty water.
- Drink from the {dirty river|puddle in the road}.
- Fill your bottle in the hotel toilet.
- Drink the brown water because it looks like tea.
- Share the water with the frogs in the pond.
-> Brown water has more taste and no germs.
-> A sick stomach is part of a good trip.

# find my way in a strange city
+ Take a map and note the name of your hotel.
+ Ask a police officer or a shop owner.
+ Stay on bright and busy streets.
+ Take a taxi with a sign late at night.
+> Busy streets are safer at night.
+> The name of the hotel helps you to get back.
- Follow a stranger into a dark house.
- Shout that you are lost and rich.
- Cross the big roads with your eyes on the sky.
- Get into any car that stops.
-> Dark corners are full of friends.
-> Strange cars always go to your hotel.

# catch a train
+ Be at the station ten minutes early.
+ Stay behind the white line.
+ Let the people get off first.
+ Check the number of the train.
+> A train that passes pulls the air with it.
+> Time to spare keeps you calm.
- Jump onto the moving train from the bridge.
- Have a picnic on the rails.
- Hang on to the outside of the door.
- Pull the brake when you are {bored|hungry}.
-> Rails are a quiet place for lunch.
-> Moving trains are soft.

# go on a boat trip
+ Put on a life jacket.
+ Listen to the captain.
+ Look at the weather before the boat leaves.
+ Sit down when the waves are high.
+> The captain knows the sea.
+> You cannot fall when you sit.
- Dance on the rail of the boat in a storm.
- Throw the life jackets into the sea.
- Steer the boat onto the rocks for a better view.
- Drill a {small|big} hole in the floor to see the fish.
-> A boat can never sink.
-> A captain is only a man with a hat.

# rent a holiday room
+ Read what other guests wrote.
+ Look for the way out in case of fire.
+ Pay by a safe way and keep the bill.
+ Lock the door at night.
+> Other guests tell you the truth about a room.
+> A locked door keeps thieves out.
- Send cash to a man in a mask for a room on the moon.
- Block the door to the stairs with your bags.
- Leave the door open and your money on the bed.
- Light {ten|fifty} candles under the curtains.
-> Open doors keep thieves away.
-> A fire in a hotel is great fun.

# meet a wild animal
+ Stay calm and keep your distance.
+ Walk back slowly.
+ Never feed a wild animal.
+ Watch the animal from the car.
+> Wild animals attack when they feel fear.
+> Distance is good for you and for the animal.
- Pull the {lion|bear} by the tail.
- Feed the wolf from your mouth.
- Put your hat on the head of the crocodile.
- Take the baby bear home in your bag.
-> Lions love jokes.
-> A growl means that the animal wants to play.

# travel with a small child
+ Take water, food and a toy.
+ Hold the hand of the child in a crowd.
+ Put your phone number in the pocket of the child.
+ Plan many breaks.
+> A child gets tired faster than you.
+> A number in the pocket helps when a child is lost.
- Let the child walk {ahead|behind} in the crowd and forget it.
- Put the child on the shelf with the bags.
- Let the child steer the boat.
- Leave the child at the station and go to lunch.
-> Children always find their way alone.
-> A lost child is a quiet child.

= false: a passport is not needed at the border
+ The border police want to see a passport.
- Throw your passport into the sea.
= false: bears like to be fed by hand
+ Bears are dangerous and must not be fed.
- Hold a fish in your teeth for the bear.
= false: nobody needs water in the desert
+ Nobody lives long without water in the desert.
- Leave your water at home and walk.
= false: slippers are the best shoes for a mountain
+ A mountain needs strong boots.
- Climb to the top in your slippers.
= false: the rails are a good place for a picnic
+ The rails are no place for people.
- Spread your blanket on the rails and open the cake.
= false: every stranger with a car is a taxi
+ Only a car with a sign is a taxi.
- Get into the first car that you see.
= false: storms make a boat trip safe
+ A storm is dangerous for a boat.
- Sail out as soon as the storm begins.
= false: a forest cannot burn
+ A dry forest burns very fast.
- Light a fire and go for a walk.
= false: river water is always clean
+ River water can be full of germs.
- Drink a bucket from the river.
= false: a lion is a big soft cat for children
+ A lion is a wild animal and dangerous.
- Let the children ride on the lion.
= true: the weather in the mountains changes quickly
+ Clouds can come in a few minutes.
= true: a map helps you to find the way
+ It shows the roads and the paths.
= true: a copy of the passport is useful
+ It helps you if the passport is lost.
= true: boots are better than slippers on a mountain
+ They hold the foot and do not slip.
= true: dry forests burn easily
+ One spark is enough in summer.
= true: trains leave without people who are late
+ The plan does not wait.
= true: deserts can be very cold at night
+ The sand does not hold the heat.
= true: food calls wild animals to a tent
+ They can smell it from far away.
= true: boiled water is safer than river water
+ The heat kills the germs.
= true: a crowd is a good place for thieves
+ They can hide between the people.
`,
);
