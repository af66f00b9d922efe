static class Program
{
    static Task Main(string[] arguments)
    {
        switch (arguments.FirstOrDefault())
        {
            case "web": return Web.Run();
            case "phone": return Phone.Run();
            case "counter": return Counter.Run();
            default: throw new ArgumentException("web, phone or counter");
        }
    }
}
