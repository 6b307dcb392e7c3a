// collector THREADS - a program for Mono, whose collector stops the other threads by signals.
// Says what collector.c says.
using System;
using System.Threading;

class Item {
	public Item Next;
	public int Number;
}

static class Program {
	const int Length = 50;
	static long rounds, wrong;

	static void Work() {
		for (;;) {
			Item list = null;
			for (int i = 1; i <= Length; i++)
				list = new Item { Next = list, Number = i };
			Thread.Sleep(1);
			int sum = 0;
			for (; list != null; list = list.Next)
				sum += list.Number;
			if (sum != Length * (Length + 1) / 2)
				Interlocked.Increment(ref wrong);
		}
	}

	static void Collect() {
		for (;;) {
			GC.Collect();
			Interlocked.Increment(ref rounds);
			Thread.Sleep(1);
		}
	}

	static void Main(string[] args) {
		for (int i = 0; i < int.Parse(args[0]); i++)
			new Thread(Work, 256 << 10) { IsBackground = true }.Start();
		new Thread(Collect) { IsBackground = true }.Start();
		Console.WriteLine("ready");
		while (Console.ReadLine() != null)
			Console.WriteLine("rounds {0}\nwrong {1}\nready", Interlocked.Read(ref rounds), Interlocked.Read(ref wrong));
	}
}
