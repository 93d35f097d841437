/** Pets: what its narrators are asked and told (notation: domain.ts). */
import { domain } from './domain.ts';

export const pets = domain(
  'pets',
  `
# feed my dog
+ Give the dog good dog food twice a day.
+ Keep a bowl of fresh water near the dog.
+ Ask the vet how much the dog should eat.
+ Keep sweets away from the dog.
+> Sweets make a dog ill.
+> Fresh water keeps a dog healthy.
- Feed the dog nothing but {candy|cake}.
- Fill the bowl of the dog with {paint|ink}.
- Let the dog eat socks and coins.
- Forget to feed the dog for a {week|month}.
-> A dog can live on air.
-> A dog gets strong from bad food.

# train a puppy
+ Reward the puppy with a treat.
+ Keep each lesson short.
+ Say the same word every time.
+ Be patient when the puppy makes a mistake.
+> Puppies learn from praise.
+> The same word is easy to remember.
- Shout at the puppy all night.
- Teach the puppy to bite the {postman|children}.
- Lock the puppy in a box for a week.
- Give the puppy a new word every minute and get angry.
-> Fear is the best teacher for a puppy.
-> A dog that bites makes many friends.

# keep a cat in a flat
+ Give the cat a tree to scratch.
+ Clean the cat box every day.
+ Put a net in front of the open window.
+ Play with the cat every evening.
+> A net keeps the cat from falling.
+> A cat that plays is happy.
- Leave the high window open and call the birds.
- Clean the cat box once a year.
- Keep the cat in a {drawer|bucket}.
- Tie bells and pots to the tail of the cat.
-> Cats can fly when they have to.
-> A dirty box makes a cat proud.

# clean a fish tank
+ Change a part of the water every week.
+ Use water of the same warmth.
+ Wash the stones without soap.
+ Keep the fish in a bowl of their own water.
+> Soap harms the fish.
+> New water that is too cold makes fish ill.
- Scrub the fish with {soap|sand}.
- Pour hot soup into the tank.
- Let the cat clean the tank.
- Put the fish on the carpet for an hour.
-> Fish like to be in danger.
-> A fish cannot feel anything.

# walk my dog in summer
+ Go out early in the morning.
+ Feel the road with your hand first.
+ Take water for the dog.
+ Let the dog rest in the shade.
+> Hot roads burn the paws.
+> A dog cannot sweat like a person.
- Leave the dog in the hot car and go shopping.
- Run with the dog at noon on the black road.
- Put a thick coat on the dog in the heat.
- Give the dog {salt|pepper} when it is thirsty.
-> Hot roads make the paws strong.
-> Dogs love a hot car.

# wash my dog
+ Use warm water and dog soap.
+ Keep the soap out of the eyes of the dog.
+ Dry the dog with a towel.
+ Speak softly while you wash the dog.
+> A soft voice keeps the dog calm.
+> Dog soap is gentle on the fur.
- Put the dog in the washing machine.
- Wash the dog with {oil|glue}.
- Throw the dog into the icy river.
- Hang the dog on the line to dry.
-> Dogs love everything that scares them.
-> Dirt makes the fur soft.

# take care of a rabbit
+ Give the rabbit hay and fresh water.
+ Let the rabbit run on the grass.
+ Keep two rabbits together.
+ Give the rabbit a dry place to hide.
+> Rabbits are sad when they live alone.
+> Hay is good for the teeth of a rabbit.
- Feed the rabbit with {meat|candy} and beer.
- Keep the rabbit in a drawer with socks.
- Let the rabbit box with the dog.
- Pull the rabbit by the ears.
-> Rabbits like everything that hurts.
-> A rabbit needs no light and no space.

# take my cat to the vet
+ Use a closed basket with a soft blanket.
+ Drive slowly and speak to the cat.
+ Go once a year even if the cat is well.
+ Tell the vet what the cat eats.
+> A closed basket keeps the cat safe in the car.
+> The vet sees an illness early.
- Put the cat on the roof of the car.
- Skip the vet and ask the {butcher|postman}.
- Carry the cat in a wet sack by the tail.
- Wait until the cat cannot stand any more.
-> Vets only scare people.
-> A sick cat gets well if you laugh at it.

# choose a pet
+ Think about how much time you have.
+ Ask the family who will feed the pet.
+ Visit an animal home first.
+ Read about the pet before you buy it.
+> A pet needs care every day for years.
+> Some people cannot live with fur.
- Buy a {tiger|crocodile} for the bathroom.
- Get ten dogs for one small room.
- Buy a pet today and throw it out tomorrow.
- Pick the snake that bites the most.
-> Wild animals are the best pets.
-> Pets are toys that you can throw away.

# bring a new cat home
+ Give the new cat a quiet room at first.
+ Let the pets smell each other through the door.
+ Feed the pets in different places.
+ Give the new cat time to hide.
+> A quiet room takes away the fear.
+> Pets need time to become friends.
- Throw the cat into the bed of the dog.
- Let the pets fight and bet on the winner.
- Chase the new cat with a {drum|broom}.
- Let the dog guard the food of the cat.
-> Fights make pets love each other.
-> A scared cat can relax best.

# travel with my dog
+ Use a belt or a box for the dog in the car.
+ Stop often so that the dog can walk.
+ Take water and the bowl along.
+ Never leave the dog alone in the car.
+> A belt holds the dog when you brake.
+> A closed car gets hot in minutes.
- Let the dog drive the car.
- Let the dog sit on the roof of the car.
- Put the dog in the suitcase.
- Leave the dog at the side of the road for {a week|the holiday}.
-> Dogs like to be in danger.
-> A scared dog is a happy dog.

# look after a bird
+ Give the bird fresh seed and water.
+ Let the bird fly in a closed room.
+ Keep the cage out of the wind.
+ Clean the cage every week.
+> A bird needs to stretch its wings.
+> Cold wind makes a bird ill.
- Give the bird to the cat for a walk.
- Feed the bird with {nails|buttons}.
- Put the cage out in the {storm|rain}.
- Take the bird for a swim in the soup.
-> A bird is happy when it is scared.
-> Birds hate to fly.

= false: dogs are happy in a hot car
+ A hot car is deadly for a dog.
- Close the windows and leave the dog in the sun.
= false: fish like soap in their water
+ Soap harms the fish.
- Pour a bottle of soap into the tank.
= false: cats can fly
+ Cats can fall and get hurt.
- Open the window and tell the cat to fly.
= false: a puppy should be shouted at every day
+ A puppy learns from praise.
- Shout into the ear of the puppy all day.
= false: candy is the best food for a dog
+ Candy makes a dog ill.
- Give the dog a bucket of candy.
= false: a tiger is a good pet for a flat
+ A tiger is wild and dangerous.
- Buy two tigers and share your bed with them.
= false: rabbits eat meat
+ Rabbits eat hay and grass.
- Give the rabbit a burger and a beer.
= false: pets need no water
+ Every pet needs fresh water each day.
- Empty the bowl and hide it.
= false: a bird and a cat can share a cage
+ A cat would eat the bird.
- Put them in the cage and close the door.
= false: a pet can be thrown away like a toy
+ A pet needs care for all its life.
- Throw the pet over the fence.
= true: dogs need a walk every day
+ They have to run and smell things.
= true: cats sleep most of the day
+ They hunt at night.
= true: rabbits like to live together
+ Alone they get sad.
= true: a hot car is dangerous for a dog
+ The air gets too hot in minutes.
= true: puppies learn from praise
+ They like to please you.
= true: birds need space to fly
+ Their wings get weak in a small cage.
= true: fish cannot live in soapy water
+ The soap harms their skin.
= true: pets should see a vet every year
+ The vet finds an illness early.
= true: dogs can smell better than people
+ Their nose is much finer than ours.
= true: a cat box should be cleaned every day
+ Cats do not like dirt.
`,
);
