// collector THREADS - a Go program: its scheduler takes goroutines off their threads with
// SIGURG, and its collector waits for each of them.  Says what collector.c says.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

const length = 50

type item struct {
	next   *item
	number int
}

var rounds, wrong int64

func work() {
	for {
		var list *item
		for i := 1; i <= length; i++ {
			list = &item{list, i}
		}
		for spin := 0; spin < 1000000; spin++ { // nothing in here asks whether to stop
		}
		sum := 0
		for ; list != nil; list = list.next {
			sum += list.number
		}
		if sum != length*(length+1)/2 {
			atomic.AddInt64(&wrong, 1)
		}
		time.Sleep(time.Millisecond)
	}
}

func main() {
	threads, _ := strconv.Atoi(os.Args[1])
	for i := 0; i < threads; i++ {
		go func() {
			runtime.LockOSThread()
			work()
		}()
	}
	go func() {
		for {
			runtime.GC()
			atomic.AddInt64(&rounds, 1)
			time.Sleep(time.Millisecond)
		}
	}()
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Printf("rounds %d\nwrong %d\nready\n", atomic.LoadInt64(&rounds), atomic.LoadInt64(&wrong))
	}
}
